// The console of handlers: one frame on the telemetry pipe for each call, in the function's log format.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html

import { writeSync } from 'fs';
import { format } from 'util';

import { toLogText } from './errors.mjs';

const TEXT = 0xa55a0003;
const JSON_RECORD = 0xa55a0002;
const HEADER_BYTES = 16;

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

export const current = { requestId: undefined, tenantId: undefined };

function constructorName(error) {
  return (error.constructor && error.constructor.name) || 'UnknownError';
}

function stackLines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

function describeErrors(_, value) {
  if (!(value instanceof Error)) {
    return value;
  }
  const known = { errorType: constructorName(value), errorMessage: value.message, stackTrace: stackLines(value) };
  return { ...known, ...value };
}

function jsonText(time, level, values) {
  const record = { timestamp: time, level, requestId: current.requestId };
  if (current.tenantId !== undefined && current.tenantId !== null) {
    record.tenantId = current.tenantId;
  }
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...record, message: values[0] }, describeErrors);
    } catch {
      return JSON.stringify({ ...record, message: format(values[0]) }); // circular, say
    }
  }
  record.message = format(...values);
  const error = values.find((value) => value instanceof Error);
  if (error !== undefined) {
    record.errorType = constructorName(error);
    record.errorMessage = error.message;
    record.stackTrace = stackLines(error);
  }
  return JSON.stringify(record);
}

function plainText(time, level, values) {
  return `${time}\t${current.requestId}\t${level}\t${format(...values)}\n`;
}

function makeWriter(descriptor, type, toText) {
  return (level, step, values) => {
    const now = new Date();
    const text = toText(now.toISOString(), level, values);
    const length = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
    frame.writeUInt32BE((type | (step << 2)) >>> 0, 0);
    frame.writeUInt32BE(length, 4);
    frame.writeBigUInt64BE(BigInt(now.getTime()) * 1000n, 8);
    frame.write(text, HEADER_BYTES);
    for (let written = 0; written < frame.length; ) {
      written += writeSync(descriptor, frame, written);
    }
  };
}

// Replaces the methods of `console`. Returns the function that logs an error of the runtime: (title, error).
export function patchConsole(descriptor, logFormat, logLevel) {
  const asJson = (logFormat || '').toUpperCase() === 'JSON';
  const write = asJson
    ? makeWriter(descriptor, JSON_RECORD, jsonText)
    : makeWriter(descriptor, TEXT, plainText);
  const lowest = Math.max(0, LEVELS.indexOf((logLevel || '').toUpperCase()));
  LEVELS.forEach((level, index) => {
    const heard = index >= lowest || level === 'FATAL';
    console[level.toLowerCase()] = heard ? (...values) => write(level, index + 1, values) : () => {};
  });
  console.log = console.info;

  const toError = (error) => (error instanceof Error ? error : new Error(error));
  if (asJson) {
    return (_, error) => console.error(toError(error));
  }
  return (title, error) => console.error(title, toLogText(toError(error)));
}
