# frozen_string_literal: true

require 'json'
require 'logger'

module LambentRuntime
  # The telemetry pipe: one frame for each log event, so that an event may have several lines. The format is that of AWS's
  # runtime clients; docs/internals/channel.md has it too.
  class Telemetry
    FRAME_TYPE = 0xa55a0003

    def initialize(descriptor)
      @pipe = IO.for_fd(descriptor, 'wb')
      @pipe.sync = true
      @lock = Mutex.new
    end

    def write(message)
      text = message.to_s
      now = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)
      frame = [FRAME_TYPE, text.bytesize, now].pack('L>L>Q>') << text.b
      write_whole(frame)
      text.bytesize
    end

    def close; end

    private

    # A pipe keeps only writes of up to 4 KB whole.
    def write_whole(frame)
      @lock.synchronize { @pipe.write(frame) }
    rescue ThreadError # a signal handler, which may not wait for a lock
      @pipe.write(frame)
    end
  end

  # What `Logger` writes in a handler: as AWS's, with the request id.
  class TextFormatter < Logger::Formatter
    def initialize(invocation)
      super()
      @invocation = invocation
    end

    def call(severity, time, program, message)
      line = format(
        "%s, [%s #%d] %5s %s -- %s: %s\n",
        severity[0], format_datetime(time), Process.pid, severity, @invocation.request_id, program, msg2str(message)
      )
      LambentRuntime.readable(line)
    end
  end

  # The same for a function that logs in JSON.
  class JsonFormatter < Logger::Formatter
    def initialize(invocation)
      super()
      @invocation = invocation
    end

    def call(severity, time, program, message)
      failed = message.is_a?(Exception)
      record = {
        timestamp: time.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'),
        level: severity,
        message: LambentRuntime.readable(failed ? message.message : msg2str(message)),
        requestId: @invocation.request_id,
        logger: program && LambentRuntime.readable(program.to_s)
      }
      record.merge!(described(message)) if failed
      "#{JSON.generate(record.compact)}\n"
    end

    private

    def described(error)
      trace = (error.backtrace || []).map { |line| LambentRuntime.readable(line) }
      where = trace.first&.match(/\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/)
      {
        errorType: error.class.to_s,
        errorMessage: LambentRuntime.readable(error.message),
        stackTrace: trace,
        location: where ? "#{where[:file]}:#{where[:method]}:#{where[:line]}" : trace.first
      }
    end
  end

  # Puts loggers that would write to standard output, or nowhere, onto the telemetry pipe.
  module LoggerToTelemetry
    class << self
      attr_accessor :sink, :formatter, :level
    end

    def initialize(device = nil, *rest, **options)
      ours = device.nil? || device.equal?($stdout) || device.equal?($stderr)
      options = { level: LoggerToTelemetry.level }.merge(options) if ours && LoggerToTelemetry.level
      super(ours ? LoggerToTelemetry.sink : device, *rest, **options)
      @default_formatter = LoggerToTelemetry.formatter if ours
    end
  end

  LEVELS = { 'TRACE' => 'debug', 'DEBUG' => 'debug', 'INFO' => 'info', 'WARN' => 'warn', 'ERROR' => 'error',
             'FATAL' => 'fatal' }.freeze

  def self.readable(text)
    text.encode('UTF-8', invalid: :replace, undef: :replace, replace: '�')
  end

  # `Kernel#puts` is one event for each call, as on AWS; what is written to $stdout itself is cut into lines.
  def self.set_up_logging(sink, invocation, as_json:, level:)
    LoggerToTelemetry.sink = sink
    LoggerToTelemetry.formatter = (as_json ? JsonFormatter : TextFormatter).new(invocation)
    LoggerToTelemetry.level = LEVELS[level.to_s.upcase] if as_json
    Logger.prepend(LoggerToTelemetry)
    Kernel.module_eval do
      define_method(:puts) do |*values|
        sink.write(values.flatten.map { |value| LambentRuntime.readable(value.to_s) }.join("\n"))
        nil
      end
      private :puts
    end
  end
end
