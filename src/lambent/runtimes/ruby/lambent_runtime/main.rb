# frozen_string_literal: true

require_relative 'channel'
require_relative 'context'
require_relative 'errors'
require_relative 'handler'
require_relative 'logs'

# The life of the process: READY, INIT, then invocations until the server hangs up.
module LambentRuntime
  TRACE_ID = '_X_AMZN_TRACE_ID'
  Invocation = Struct.new(:request_id)

  def self.run
    telemetry = Integer(ENV.delete('_LAMBDA_TELEMETRY_LOG_FD') || '4')
    channel = Channel.new(move_out_of_reach(3))
    $stdout.sync = true
    runtime = Runtime.new(channel, Telemetry.new(move_out_of_reach(telemetry)))
    channel.send_frame(Channel::READY)
    runtime.initialize_function
    runtime.serve
  rescue ChannelClosed
    exit!(0)
  end

  class Runtime
    def initialize(channel, sink)
      @channel = channel
      @sink = sink
      @invocation = Invocation.new
    end

    def initialize_function
      kind, meta, = @channel.receive
      raise 'INIT comes first' unless kind == Channel::INIT

      @settings = JSON.parse(meta)
      become_function(@settings['variables'])
      LambentRuntime.set_up_logging(@sink, @invocation, as_json: logs_json?, level: @settings['log_level'])
      name = ENV.fetch('_HANDLER', @settings['handler'])
      begin
        @handler = Handler.new(name)
        @handler.load
      rescue Exception => e # rubocop:disable Lint/RescueException - a script may also leave by exit, or not parse
        fail_init(e, name)
      end
      @channel.send_frame(Channel::INITIALIZED)
    end

    def serve
      loop do
        kind, meta, payload = @channel.receive
        raise 'after INIT there is nothing but invocations' unless kind == Channel::INVOKE

        failure = invoke(JSON.parse(meta), payload)
        exit!(255) if failure&.ends
      end
    end

    private

    # Before 4.0, AWS's runtimes know of logs in JSON only what the platform writes.
    def logs_json?
      @settings['log_format'].to_s.casecmp?('JSON') && RUBY_VERSION.to_i >= 4
    end

    # `variables` is nil for a process that was executed with them, and perhaps with more by a wrapper script.
    def become_function(variables)
      ENV.replace(variables) unless variables.nil?
      ENV.delete('_LAMBDA_TELEMETRY_LOG_FD')
      task_root = ENV.fetch('LAMBDA_TASK_ROOT', '/var/task')
      # Also where we are there by name already: the code was mounted over the directory that we are in.
      Dir.chdir(task_root)
      $LOAD_PATH.unshift(task_root) unless $LOAD_PATH.first == task_root
      Gem.clear_paths if defined?(Gem) # what was looked for before the code was there
      Random.srand
    end

    def fail_init(error, name)
      failure = Failure.new(error, 'Init')
      failure.log(@sink, "Init error when loading handler #{name}")
      @channel.send_frame(Channel::INIT_FAILED, failure.meta, failure.payload)
      exit!(1)
    end

    # What went wrong, or nil.
    def invoke(meta, payload)
      @invocation.request_id = meta['request_id']
      ENV[TRACE_ID] = meta['trace_id'] if ENV[TRACE_ID] != meta['trace_id']
      @channel.send_frame(Channel::RESULT, '', @handler.call(payload, LambdaContext.new(@settings, meta)))
      nil
    rescue ChannelClosed
      raise
    rescue NameError => e # NoMethodError is one: a handler like that does not get better
      fail_invocation(Failure.new(e, 'Function', ends: true), 'Critical exception from handler')
    rescue StandardError => e
      fail_invocation(Failure.new(e, 'Function'), 'Error raised from handler method')
    rescue Exception => e # rubocop:disable Lint/RescueException - exit, too, is an error of the handler on AWS
      fail_invocation(Failure.new(e, 'Function', ends: true), 'Critical exception from handler')
    end

    def fail_invocation(failure, message)
      failure.log(@sink, message)
      @channel.send_frame(Channel::FAILED, failure.meta, failure.payload)
      failure
    end
  end
end
