// Entry point of the managed Node.js runtimes: /var/runtime/index.mjs.
//
// Runs on Node.js 16 and newer with nothing but its own modules. docs/internals/channel.md has the protocol. Behaviour
// follows AWS's own runtime client (aws-lambda-ric: version 3 up to Node.js 22, version 4 from 24) in everything that a
// handler, its logs or its caller can see.

import path from 'path';
import { fileURLToPath } from 'url';

import { Channel, FAILED, INITIALIZED, INIT_FAILED, READY } from './channel.mjs';
import { UnhandledPromiseRejection, toErrorObject } from './errors.mjs';
import { forget, loadHandler } from './handler.mjs';
import { Invoker, modernHandlers } from './invoker.mjs';
import { current, patchConsole } from './logs.mjs';

const TELEMETRY = 4;

let phase = 'blank'; // then 'init', then 'serving'
let logError;
let invoker;

function setVariables(variables) {
  for (const name of Object.keys(process.env)) {
    if (!(name in variables)) {
      delete process.env[name];
    }
  }
  for (const [name, value] of Object.entries(variables)) {
    if (process.env[name] !== value) {
      process.env[name] = value; // TZ, say, makes Node.js forget what it knows of time zones, even if it stays the same
    }
  }
}

// `variables` is missing for a process that was executed with them, and perhaps with more by a wrapper script.
function becomeFunction(variables) {
  if (variables) {
    setVariables(variables);
  }
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  // Also where we are there by name already: the code was mounted over the directory that we are in.
  process.chdir(process.env.LAMBDA_TASK_ROOT || '/var/task');
}

function failInit(title, error) {
  logError(title, error);
  const description = toErrorObject(error);
  channel.sendAndExit(INIT_FAILED, { error_type: description.errorType }, JSON.stringify(description), 1);
}

// A failure that no handler's promise or callback caught: the process is in an unknown state, and ends.
function fail(title, error, status) {
  if (phase === 'init') {
    failInit(title, error);
    return;
  }
  logError(title, error);
  if (!invoker.abandon()) {
    process.exit(status);
  }
  const description = toErrorObject(error);
  const meta = { error_type: description.errorType, ends: true };
  channel.sendAndExit(FAILED, meta, JSON.stringify(description), status);
}

async function initialize(settings) {
  phase = 'init';
  channel.release();
  becomeFunction(settings.variables);
  const level = settings.log_level || process.env.AWS_LAMBDA_LOG_LEVEL;
  logError = patchConsole(TELEMETRY, settings.log_format, level);
  process.on('uncaughtException', (error) => fail('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason, promise) => {
    fail('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), 128);
  });
  let handler;
  try {
    handler = await loadHandler(process.cwd(), process.env._HANDLER ?? settings.handler, import.meta.url);
  } catch (error) {
    failInit(modernHandlers ? 'Init Error' : 'Uncaught Exception', error);
    return;
  }
  phase = 'serving';
  invoker = new Invoker(channel, handler, settings, logError);
  process.on('beforeExit', () => invoker.eventLoopEmpty());
  channel.hold();
  channel.send(INITIALIZED);
}

// Init and one invocation of a function that is nobody's, whose answer nobody hears, while there is time: what a process
// does for the first time takes many times longer than what it did before.
async function rehearse() {
  const file = fileURLToPath(new URL('rehearsal.js', import.meta.url));
  setVariables({ ...process.env });
  const logError = patchConsole(TELEMETRY, 'Text', undefined);
  const handler = await loadHandler(path.dirname(file), 'rehearsal.handler', import.meta.url);
  await new Promise((answered) => {
    const nobody = { hold() {}, release() {}, send: answered, sendAndExit: answered };
    new Invoker(nobody, handler, {}, logError).invoke({ deadline_ms: 0 }, '{}');
  });
  current.requestId = current.tenantId = undefined;
  forget(file);
}

const channel = new Channel(3, (meta, payload) => {
  if (phase === 'serving') {
    invoker.invoke(JSON.parse(meta), payload);
  } else {
    initialize(JSON.parse(meta));
  }
});
if (process.env._HANDLER === undefined) {
  await rehearse();
}
channel.send(READY);
