# frozen_string_literal: true

require 'json'

module LambentRuntime
  # Failures as AWS describes them: the error object that callers get and the event that the log gets.
  class Failure
    NAMED = %w[
      ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError
    ].freeze
    FRAMES_MOST = 100
    OWN_FILES = File.expand_path('..', __dir__)

    # `phase` is Init, Function or Runtime. `ends`: the process ends with it.
    def initialize(error, phase, ends: false)
      @error = error
      @type = "#{phase}<#{error.class}>"
      @ends = ends
    end

    attr_reader :ends

    # What the platform is told; AWS's names only the errors that say nothing about the function.
    def meta
      type = NAMED.include?(@error.class.to_s) ? @type : 'Function<UserException>'
      JSON.generate(@ends ? { error_type: type, ends: true } : { error_type: type })
    end

    def payload
      JSON.generate(described)
    end

    def log(sink, message)
      sink.write(message)
      sink.write(JSON.pretty_generate(described))
    end

    private

    def described
      @described ||= {
        errorMessage: LambentRuntime.readable(@error.message.to_s),
        errorType: @type,
        stackTrace: stack_trace
      }
    end

    # Up to the first frame that is ours.
    def stack_trace
      frames = (@error.backtrace || []).first(FRAMES_MOST).take_while { |frame| !frame.start_with?(OWN_FILES) }
      frames.map { |frame| LambentRuntime.readable(frame) }
    end
  end
end
