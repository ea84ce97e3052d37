// From "directory/module.path.to.function" to the function. Errors and the order of the search are AWS's.

import { existsSync, readFileSync, statSync } from 'fs';
import { createRequire } from 'module';
import path from 'path';
import { pathToFileURL } from 'url';

import {
  CallbackHandlerDeprecated,
  HandlerNotFound,
  ImportModuleError,
  MalformedHandlerName,
  UserCodeSyntaxError,
} from './errors.mjs';
import { modernHandlers } from './invoker.mjs';
import { awslambda, isStreaming } from './streaming.mjs';

function isFile(file) {
  return existsSync(file) && statSync(file).isFile();
}

// Whether the nearest package.json above `folder`, within its package, says "type": "module".
function isModulePackage(folder) {
  for (; !folder.endsWith('/node_modules'); folder = path.dirname(folder)) {
    const description = path.join(folder, 'package.json');
    if (existsSync(description)) {
      try {
        return JSON.parse(readFileSync(description, 'utf8')).type === 'module';
      } catch (error) {
        console.warn(`${description} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (folder === '/') {
      break;
    }
  }
  return false;
}

const importFile = (file) => import(pathToFileURL(file).href);

// Up to Node.js 22 CommonJS is required, so that `module.exports` itself is searched for the handler.
async function loadLegacy(file, require) {
  if (existsSync(file)) {
    return require(file); // without extension, or a directory
  }
  if (isFile(`${file}.js`)) {
    return isModulePackage(path.dirname(file)) ? importFile(`${file}.js`) : require(`${file}.js`);
  }
  if (isFile(`${file}.mjs`)) {
    return importFile(`${file}.mjs`);
  }
  return isFile(`${file}.cjs`) ? require(`${file}.cjs`) : undefined;
}

async function loadModern(file) {
  const found = ['', '.js', '.mjs', '.cjs'].map((extension) => file + extension).find(isFile);
  return found && importFile(found);
}

let runtimeRequire;

async function loadModule(appRoot, directory, name, runtimeUrl) {
  runtimeRequire ??= createRequire(runtimeUrl);
  const require = runtimeRequire;
  const file = path.resolve(appRoot, directory, name);
  try {
    const loaded = await (modernHandlers ? loadModern(file) : loadLegacy(file, require));
    // A package by its name: a layer's, say.
    return loaded || require(require.resolve(name, { paths: [appRoot, path.resolve(appRoot, directory)] }));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UserCodeSyntaxError(error);
    }
    if (error && error.code === 'MODULE_NOT_FOUND') {
      throw new ImportModuleError(error);
    }
    throw error;
  }
}

function find(root, names) {
  return names.split('.').reduce((found, name) => (found ? found[name] : undefined), root);
}

function checkSignature(handler) {
  if (!isStreaming(handler) && modernHandlers && handler.length >= 3) {
    throw new CallbackHandlerDeprecated(
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
        'Make the handler an async function of two parameters, or use an earlier runtime. ' +
        'See https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    );
  }
}

function defineGlobal() {
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    return;
  }
  globalThis.awslambda = awslambda;
}

export async function loadHandler(appRoot, handlerName, runtimeUrl) {
  defineGlobal();
  if (handlerName.includes('..')) {
    throw new MalformedHandlerName(
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(handlerName);
  const parts = base.match(/^([^.]*)\.(.*)$/);
  if (!parts) {
    throw new MalformedHandlerName('Bad handler');
  }
  const directory = handlerName.slice(0, handlerName.indexOf(base));
  const loaded = await loadModule(appRoot, directory, parts[1], runtimeUrl);
  let handler = find(loaded, parts[2]);
  if (!handler && modernHandlers && loaded && loaded.default) {
    handler = find(loaded.default, parts[2]);
  }
  if (!handler) {
    throw new HandlerNotFound(`${handlerName} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw new HandlerNotFound(`${handlerName} is not a function`);
  }
  checkSignature(handler);
  return handler;
}

// Takes back that a module of the runtime's own was loaded, as far as user code could see it.
export function forget(file) {
  delete runtimeRequire.cache[file];
  delete globalThis.awslambda;
}
