// One invocation after the other: calls the handler, and sees which of the ways to answer it takes.

import { FAILED, RESULT } from './channel.mjs';
import { JSONStringifyError, toErrorObject } from './errors.mjs';
import { current } from './logs.mjs';
import { isStreaming, stream } from './streaming.mjs';

// Node.js 24 ended callbacks, context.done and waiting for the event loop: what the handler returns is the response.
export const modernHandlers = Number(process.versions.node.split('.')[0]) >= 24;

function toJson(response) {
  try {
    const text = JSON.stringify(response);
    return text === undefined ? 'null' : text;
  } catch {
    const message = 'Unable to stringify response body';
    throw modernHandlers ? new JSONStringifyError(message) : new Error(message);
  }
}

function parseClientContext(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ClientContext as json: ${error}`);
  }
}

export class Invoker {
  #channel;
  #handler;
  #streams;
  #function;
  #logError;
  #running = null; // the invocation that is not answered yet
  #traceId;

  constructor(channel, handler, settings, logError) {
    this.#channel = channel;
    this.#handler = handler;
    this.#streams = isStreaming(handler);
    this.#logError = logError;
    this.#function = {
      functionVersion: settings.function_version,
      functionName: settings.function_name,
      memoryLimitInMB: String(settings.memory_limit_mb),
      logGroupName: settings.log_group,
      logStreamName: settings.log_stream,
    };
    this.#traceId = process.env._X_AMZN_TRACE_ID;
  }

  invoke(meta, payload) {
    const invocation = { whenEmpty: null };
    this.#running = invocation;
    this.#channel.release();
    current.requestId = meta.request_id;
    current.tenantId = meta.tenant_id;
    this.#setTraceId(meta.trace_id);
    if (this.#streams) {
      this.#invokeStreaming(invocation, meta, payload);
    } else if (modernHandlers) {
      this.#invokeModern(invocation, meta, payload);
    } else {
      this.#invokeLegacy(invocation, meta, payload);
    }
  }

  async #invokeModern(invocation, meta, payload) {
    try {
      const context = Object.assign(this.#contextOf(meta), this.#function, { xRayTraceId: meta.trace_id });
      const response = await this.#handler(JSON.parse(payload), context);
      this.#succeed(invocation, response);
    } catch (error) {
      this.#fail(invocation, error);
    }
  }

  async #invokeStreaming(invocation, meta, payload) {
    this.#channel.hold(); // a response that is never ended is waited for, until the time is up
    try {
      const context = Object.assign(this.#contextOf(meta), this.#function);
      await stream(this.#channel, this.#handler, JSON.parse(payload), context);
      if (this.#end(invocation)) {
        this.#channel.send(RESULT);
      }
    } catch (error) {
      this.#fail(invocation, error);
    }
  }

  #invokeLegacy(invocation, meta, payload) {
    const { callback, context } = this.#callbacksOf(invocation);
    invocation.whenEmpty = () => this.#succeed(invocation, null);
    try {
      Object.assign(context, this.#function, this.#contextOf(meta));
      const returned = this.#handler(JSON.parse(payload), context, callback);
      if (returned && typeof returned.then === 'function') {
        returned.then(context.succeed, context.fail).catch(context.fail);
      }
    } catch (error) {
      callback(error);
    }
  }

  // The callback and the methods of the context: whichever is called first answers, the others do nothing any more.
  #callbacksOf(invocation) {
    let answered = false;
    let waits = true;
    const once = (answer) => (...values) => {
      if (!answered) {
        answer(...values); // may throw, for a response that is no JSON; then the invocation can still fail
        answered = true;
      }
    };
    const isError = (error) => error !== undefined && error !== null;
    const done = (error, response) => {
      if (isError(error)) {
        this.#fail(invocation, error);
      } else {
        this.#succeed(invocation, response);
      }
    };
    const callback = (error, response) => {
      if (waits && !isError(error)) {
        invocation.whenEmpty = () => this.#succeedOrFail(invocation, response);
      } else {
        done(error, response);
      }
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
      succeed: once((response) => done(null, response)),
      fail: once((error) => done(isError(error) ? error : 'handled')),
      done: once(done),
    };
    return { callback: once(callback), context };
  }

  #contextOf(meta) {
    const deadline = meta.deadline_ms;
    const identity = meta.identity;
    return {
      clientContext: meta.client_context ? parseClientContext(meta.client_context) : undefined,
      identity: identity && {
        cognitoIdentityId: identity.cognito_identity_id,
        cognitoIdentityPoolId: identity.cognito_identity_pool_id,
      },
      invokedFunctionArn: meta.invoked_arn,
      awsRequestId: meta.request_id,
      tenantId: meta.tenant_id,
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
  }

  // Nothing is left that could call back. A handler that has not answered never will.
  eventLoopEmpty() {
    const invocation = this.#running;
    if (invocation === null) {
      return;
    }
    if (invocation.whenEmpty === null) {
      process.exit(13); // as Node.js does for a top-level await that nothing can settle, which AWS's loop is
    }
    invocation.whenEmpty();
  }

  // Takes the answer away from the handler. False if it has answered.
  abandon() {
    const running = this.#running !== null;
    this.#running = null;
    return running;
  }

  #succeedOrFail(invocation, response) {
    try {
      this.#succeed(invocation, response);
    } catch (error) {
      this.#fail(invocation, error);
    }
  }

  #succeed(invocation, response) {
    const text = toJson(response);
    if (this.#end(invocation)) {
      this.#channel.send(RESULT, undefined, text);
    }
  }

  #fail(invocation, error) {
    this.#logError('Invoke Error', error);
    if (this.#end(invocation)) {
      const description = toErrorObject(error);
      this.#channel.send(FAILED, { error_type: description.errorType }, JSON.stringify(description));
    }
  }

  #end(invocation) {
    if (this.#running !== invocation) {
      return false;
    }
    this.#running = null;
    this.#channel.hold();
    return true;
  }

  #setTraceId(traceId) {
    if (traceId === this.#traceId) {
      return;
    }
    this.#traceId = traceId;
    if (traceId === undefined) {
      delete process.env._X_AMZN_TRACE_ID;
    } else {
      process.env._X_AMZN_TRACE_ID = traceId;
    }
  }
}
