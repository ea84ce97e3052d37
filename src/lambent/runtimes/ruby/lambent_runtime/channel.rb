# frozen_string_literal: true

module LambentRuntime
  # The server is gone: an end, not an error.
  class ChannelClosed < StandardError; end

  F_DUPFD_CLOEXEC = 1030 # Linux's; not every Ruby has it in Fcntl

  # Gives an inherited descriptor a high number that children do not inherit, so that handlers which close or reuse the
  # low ones do not hit it. Where the descriptor limit is too low, any other number has to do.
  def self.move_out_of_reach(descriptor)
    inherited = IO.for_fd(descriptor, 'wb')
    moved = begin
      inherited.fcntl(F_DUPFD_CLOEXEC, 1000)
    rescue SystemCallError
      inherited.fcntl(F_DUPFD_CLOEXEC, 3)
    end
    inherited.close
    moved
  end

  # Frames on the socket to the server: docs/internals/channel.md.
  class Channel
    INIT = 1
    INVOKE = 2
    READY = 16
    INITIALIZED = 17
    INIT_FAILED = 18
    RESULT = 19
    FAILED = 20

    HEADER = 'CVVV'
    HEADER_BYTES = 13
    READ_BYTES = 1 << 16

    def initialize(descriptor)
      @socket = IO.for_fd(descriptor, 'r+b')
      @socket.sync = true
      @owner = Process.pid
      @sequence = 0
      @received = String.new(encoding: Encoding::BINARY)
    end

    # Kind, meta and payload of the next frame. Raises ChannelClosed.
    def receive
      read_until(HEADER_BYTES)
      kind, @sequence, meta_length, payload_length = @received.unpack(HEADER)
      start = HEADER_BYTES + meta_length
      read_until(start + payload_length)
      meta = @received.byteslice(HEADER_BYTES, meta_length)
      payload = @received.byteslice(start, payload_length)
      @received = @received.byteslice((start + payload_length)..)
      [kind, meta.force_encoding(Encoding::UTF_8), payload.force_encoding(Encoding::UTF_8)]
    end

    # A child that a handler forked and that came back here ends instead: the answer is its parent's to give.
    def send_frame(kind, meta = '', payload = '')
      exit!(0) if Process.pid != @owner
      header = [kind, @sequence, meta.bytesize, payload.bytesize].pack(HEADER)
      @socket.write(header, meta, payload)
    rescue Errno::EPIPE, Errno::ECONNRESET
      raise ChannelClosed
    end

    private

    def read_until(length)
      @received << @socket.readpartial(READ_BYTES) while @received.bytesize < length
    rescue EOFError, Errno::ECONNRESET
      raise ChannelClosed
    end
  end
end
