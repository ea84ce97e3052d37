# frozen_string_literal: true

# Entry point of the managed Ruby runtimes: /var/runtime/bootstrap.rb.

require_relative 'lambent_runtime/main'

LambentRuntime.run
