// Streamed responses: `awslambda.streamifyResponse`, and the stream that such handlers write to.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html

import { Writable } from 'stream';

import { InvalidStreamingOperation, MalformedStreamingHandler } from './errors.mjs';

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.highWaterMark');
const HTTP_INTEGRATION = 'application/vnd.awslambda.http-integration-response';
const DELIMITER_BYTES = 8;

export class ResponseStream extends Writable {
  #channel;
  #contentType;
  #begun = false;

  constructor(channel, highWaterMark) {
    super({ highWaterMark, decodeStrings: true });
    this.#channel = channel;
    this.on('error', () => {}); // whoever destroyed it knows why
  }

  setContentType(contentType) {
    if (this.#begun) {
      throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    }
    this.#contentType = contentType;
  }

  // Anything but text and bytes is sent as JSON.
  write(chunk, encoding, callback) {
    return super.write(writable(chunk), encoding, callback);
  }

  end(chunk, encoding, callback) {
    if (chunk === undefined || chunk === null || typeof chunk === 'function') {
      return super.end(chunk, encoding, callback);
    }
    return super.end(writable(chunk), encoding, callback);
  }

  _write(chunk, _, callback) {
    this.#channel.sendChunk(this.#begin(), this.#withPrelude(chunk), callback);
  }

  _final(callback) {
    if (this.#begun) {
      callback();
    } else {
      this.#channel.sendChunk(this.#begin(), this.#withPrelude(Buffer.alloc(0)), callback);
    }
  }

  // The meta of the first piece, which makes the response a streamed one.
  #begin() {
    if (this.#begun) {
      return undefined;
    }
    this.#begun = true;
    return { content_type: this.#contentType ?? 'application/octet-stream' };
  }

  #withPrelude(chunk) {
    const before = this._onBeforeFirstWrite;
    if (!before) {
      return chunk;
    }
    this._onBeforeFirstWrite = undefined;
    const pieces = [];
    before((piece) => pieces.push(Buffer.from(piece)));
    return Buffer.concat([...pieces, chunk]);
  }
}

function writable(chunk) {
  const asIs = typeof chunk === 'string' || chunk instanceof Uint8Array;
  return asIs || chunk === undefined || chunk === null ? chunk : JSON.stringify(chunk);
}

// Status, headers and cookies before the body, for function URLs.
class HttpResponseStream {
  static from(responseStream, prelude) {
    responseStream.setContentType(HTTP_INTEGRATION);
    const text = JSON.stringify(prelude);
    responseStream._onBeforeFirstWrite = (write) => {
      write(text);
      write(new Uint8Array(DELIMITER_BYTES));
    };
    return responseStream;
  }
}

export const awslambda = {
  streamifyResponse(handler, options) {
    handler[STREAMING] = 'response';
    if (options !== undefined && options.highWaterMark !== undefined) {
      handler[HIGH_WATER_MARK] = Number.parseInt(options.highWaterMark, 10);
    }
    return handler;
  },
  HttpResponseStream,
};

// Whether the handler streams. Throws for what it streams otherwise.
export function isStreaming(handler) {
  const streams = handler[STREAMING];
  if (streams === undefined) {
    return false;
  }
  if (streams !== 'response') {
    throw new MalformedStreamingHandler('Only response streaming is supported.');
  }
  const highWaterMark = handler[HIGH_WATER_MARK];
  if (highWaterMark !== undefined && !(Number.isInteger(highWaterMark) && highWaterMark > 0)) {
    throw new MalformedStreamingHandler('highWaterMark must be a positive integer.');
  }
  return true;
}

// Calls the handler, and waits until it has written everything.
export async function stream(channel, handler, event, context) {
  const response = new ResponseStream(channel, handler[HIGH_WATER_MARK]);
  const written = new Promise((resolve, reject) => {
    response.once('finish', resolve);
    response.once('error', reject);
  });
  written.catch(() => {}); // told below, unless the handler fails first
  const returned = handler(event, response, context);
  if (!returned || typeof returned.then !== 'function') {
    throw new InvalidStreamingOperation('Streaming does not support non-async handlers.');
  }
  if ((await returned) !== undefined) {
    console.warn('Streaming handlers ignore return values.');
  }
  await written;
}
