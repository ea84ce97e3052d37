"""From "module.function" to the function. Errors are AWS's, to the letter."""

import importlib
import sys

from .errors import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable


def load_handler(handler: str) -> "Callable[[Any, Any], Any]":
    """Imports the module, whose name may be a path ("app/api.handler"). Raises Fault, or what the module raises."""
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        message = f"Bad handler '{handler}': {error}"
        raise Fault("Runtime.MalformedHandlerName", message) from error
    module = _import(module_name)
    try:
        function = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from None
    return function  # type: ignore[no-any-return]


def _import(module_name: str) -> "Any":
    if module_name.split(".", 1)[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        return importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        line = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise Fault("Runtime.UserCodeSyntaxError", message, [line]) from error
