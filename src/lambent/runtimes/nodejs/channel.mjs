// Frames on the socket to the server: docs/internals/channel.md.

import { writeSync } from 'fs';
import { Socket } from 'net';

export const READY = 16;
export const INITIALIZED = 17;
export const INIT_FAILED = 18;
export const RESULT = 19;
export const FAILED = 20;
const CHUNK = 21;

const HEADER_BYTES = 13;
const BUFFER_BYTES = 1 << 16;
const CHUNK_BYTES = 1 << 15;

export class Channel {
  #descriptor;
  #socket;
  #onFrame;
  #received = null; // what came of a frame that is not whole yet
  #missing = 0;
  #sequence = 0; // of the request that is open: answers say which one they answer
  #outgoing = Buffer.allocUnsafe(BUFFER_BYTES);

  // `onFrame` is called with the meta text and the payload text of each frame.
  constructor(descriptor, onFrame) {
    this.#descriptor = descriptor;
    this.#onFrame = onFrame;
    this.#socket = new Socket({
      fd: descriptor,
      onread: {
        buffer: Buffer.allocUnsafe(BUFFER_BYTES),
        callback: (length, buffer) => {
          this.#take(buffer.subarray(0, length));
          return true;
        },
      },
    });
    const end = () => process.exit(0);
    this.#socket.on('end', end).on('close', end).on('error', end).resume();
  }

  // Whether waiting for the server keeps the event loop alive: not while a handler is at work, so that its end shows.
  hold() {
    this.#socket.ref();
  }

  release() {
    this.#socket.unref();
  }

  send(kind, meta, payload = '') {
    const frame = this.#frame(kind, meta, payload);
    const written = this.#writeNow(frame);
    if (written < frame.length) {
      this.#socket.write(Buffer.from(frame.subarray(written)));
    }
  }

  // A piece of a streamed response. `callback` is called when the server may be given the next one.
  sendChunk(meta, chunk, callback) {
    const piece = chunk.subarray(0, CHUNK_BYTES);
    const rest = chunk.subarray(CHUNK_BYTES);
    const next = rest.length > 0 ? () => this.sendChunk(undefined, rest, callback) : callback;
    const frame = this.#frame(CHUNK, meta, piece);
    const written = this.#writeNow(frame);
    if (written < frame.length) {
      this.#socket.write(Buffer.from(frame.subarray(written)), (error) => (error ? callback(error) : next()));
    } else {
      next();
    }
  }

  sendAndExit(kind, meta, payload, status) {
    const frame = this.#frame(kind, meta, payload);
    const written = this.#writeNow(frame);
    if (written === frame.length) {
      process.exit(status);
    }
    this.hold();
    this.#socket.write(frame.subarray(written), () => process.exit(status));
  }

  #frame(kind, meta, payload) {
    const metaText = meta === undefined ? '' : JSON.stringify(meta);
    const metaBytes = Buffer.byteLength(metaText);
    const isText = typeof payload === 'string';
    const payloadBytes = isText ? Buffer.byteLength(payload) : payload.length;
    const length = HEADER_BYTES + metaBytes + payloadBytes;
    const frame = length <= BUFFER_BYTES ? this.#outgoing.subarray(0, length) : Buffer.allocUnsafe(length);
    frame[0] = kind;
    frame.writeUInt32LE(this.#sequence, 1);
    frame.writeUInt32LE(metaBytes, 5);
    frame.writeUInt32LE(payloadBytes, 9);
    if (metaBytes > 0) {
      frame.write(metaText, HEADER_BYTES);
    }
    if (isText) {
      frame.write(payload, HEADER_BYTES + metaBytes);
    } else {
      frame.set(payload, HEADER_BYTES + metaBytes);
    }
    return frame;
  }

  // Past the stream machinery, which costs several times the system call. Returns how much the socket took: nothing
  // while an earlier frame waits for its turn.
  #writeNow(frame) {
    if (this.#socket.writableLength > 0) {
      return 0;
    }
    try {
      return writeSync(this.#descriptor, frame);
    } catch (error) {
      if (error.code === 'EAGAIN') {
        return 0;
      }
      if (error.code === 'EPIPE') {
        process.exit(0);
      }
      throw error;
    }
  }

  #take(chunk) {
    if (this.#received === null && chunk.length >= HEADER_BYTES) {
      const length = frameLength(chunk);
      if (chunk.length === length) {
        this.#deliver(chunk);
        return;
      }
    }
    this.#collect(chunk);
  }

  #collect(chunk) {
    const received = this.#received || (this.#received = []);
    received.push(Buffer.from(chunk)); // a copy: the buffer of the socket is used again
    this.#missing -= chunk.length;
    if (this.#missing > 0) {
      return;
    }
    const data = Buffer.concat(received);
    const length = data.length >= HEADER_BYTES ? frameLength(data) : HEADER_BYTES;
    if (data.length < length) {
      this.#received = [data];
      this.#missing = length - data.length;
      return;
    }
    this.#received = null;
    this.#missing = 0;
    this.#deliver(data.subarray(0, length));
    if (data.length > length) {
      this.#take(data.subarray(length));
    }
  }

  #deliver(frame) {
    this.#sequence = frame.readUInt32LE(1);
    const metaEnd = HEADER_BYTES + frame.readUInt32LE(5);
    this.#onFrame(frame.toString('utf8', HEADER_BYTES, metaEnd), frame.toString('utf8', metaEnd));
  }
}

function frameLength(data) {
  return HEADER_BYTES + data.readUInt32LE(5) + data.readUInt32LE(9);
}
