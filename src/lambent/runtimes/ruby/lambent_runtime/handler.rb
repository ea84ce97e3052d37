# frozen_string_literal: true

require 'json'
require 'stringio'

# How events and responses are read and written. Handlers may redefine both methods, as on AWS.
module AwsLambda
  class Marshaller
    class << self
      def marshall_request(raw_request)
        raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
      end

      # The response, or [response, content type] where it is sent as it is.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO
          [method_response, 'application/unknown']
        else
          method_response.to_json
        end
      end
    end
  end
end

module LambentRuntime
  # An event as it arrived.
  RawRequest = Struct.new(:body) do
    def [](name)
      name.casecmp?('content-type') ? 'application/json' : nil
    end
  end

  # "file.method" or "file.Module::Class.method".
  class Handler
    def initialize(name)
      parts = name.split('.')
      unless [2, 3].include?(parts.size)
        raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD " \
                             'where FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an ' \
                             'optional module/class namespace and METHOD is a callable method. If using CLASS, METHOD ' \
                             'must be a class-level method.'
      end
      @file, *@namespace, @method = parts
    end

    def load
      require @file
    end

    # Bytes of the response.
    def call(payload, context)
      event = AwsLambda::Marshaller.marshall_request(RawRequest.new(payload))
      receiver = @namespace.empty? ? TOPLEVEL_BINDING.receiver : Kernel.const_get(@namespace.first)
      response = receiver.__send__(@method, event: event, context: context)
      body, = AwsLambda::Marshaller.marshall_response(response)
      body.respond_to?(:read) ? body.read : body
    end
  end
end
