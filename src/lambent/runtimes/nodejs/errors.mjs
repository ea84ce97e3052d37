// Failures as AWS describes them: the error object that callers get and the text that logs get.

import { types } from 'util';

function runtimeError(name) {
  const made = class extends Error {};
  made.prototype.name = `Runtime.${name}`;
  return made;
}

export const ImportModuleError = runtimeError('ImportModuleError');
export const HandlerNotFound = runtimeError('HandlerNotFound');
export const MalformedHandlerName = runtimeError('MalformedHandlerName');
export const UserCodeSyntaxError = runtimeError('UserCodeSyntaxError');
export const MalformedStreamingHandler = runtimeError('MalformedStreamingHandler');
export const InvalidStreamingOperation = runtimeError('InvalidStreamingOperation');
export const CallbackHandlerDeprecated = runtimeError('CallbackHandlerDeprecated');
export const JSONStringifyError = runtimeError('JSONStringifyError');

export class UnhandledPromiseRejection extends runtimeError('UnhandledPromiseRejection') {
  constructor(reason, promise) {
    super(reason);
    this.reason = reason;
    this.promise = promise;
  }
}

// Also what only looks like an error: one of another realm, or of a library of its own.
function looksLikeError(value) {
  return (
    types.isNativeError(value) ||
    (value && ['name', 'message', 'stack'].every((key) => typeof value[key] === 'string' && value[key]))
  );
}

// AWS escapes DEL, which its headers cannot carry.
const escapeDelete = (text) => text && text.replace(/\x7F/g, '%7F');

export function toErrorObject(error) {
  try {
    if (looksLikeError(error)) {
      return {
        errorType: escapeDelete(error.name),
        errorMessage: escapeDelete(error.message),
        trace: escapeDelete(error.stack).split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
    };
  }
}

function withOwnProperties(value) {
  if (!(value instanceof Error)) {
    return value;
  }
  const plain = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === 'string') {
    plain.stack = value.stack.split('\n');
  }
  return plain;
}

// The JSON that stands in the log behind "Invoke Error".
export function toLogText(error) {
  try {
    return `\t${JSON.stringify(error, (_, value) => withOwnProperties(value))}`;
  } catch {
    return `\t${JSON.stringify(toErrorObject(error))}`;
  }
}
