# frozen_string_literal: true

require 'json'

# The context object that handlers get. Names and types are AWS's: the memory limit, for one, is a string.
#
# Source: https://docs.aws.amazon.com/lambda/latest/dg/ruby-context.html
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(settings, invocation)
    @deadline_ms = invocation['deadline_ms']
    @aws_request_id = invocation['request_id']
    @invoked_function_arn = invocation['invoked_arn']
    @tenant_id = invocation['tenant_id']
    @log_group_name = settings['log_group']
    @log_stream_name = settings['log_stream']
    @function_name = settings['function_name']
    @memory_limit_in_mb = settings['memory_limit_mb'].to_s
    @function_version = settings['function_version']
    @identity = identity_of(invocation['identity'])
    @client_context = JSON.parse(invocation['client_context']) if invocation['client_context']
  end

  def get_remaining_time_in_millis # rubocop:disable Naming/AccessorMethodName
    remaining = @deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
    remaining.positive? ? remaining : 0
  end

  private

  def identity_of(given)
    return nil if given.nil?

    {
      'cognitoIdentityId' => given['cognito_identity_id'],
      'cognitoIdentityPoolId' => given['cognito_identity_pool_id']
    }
  end
end
