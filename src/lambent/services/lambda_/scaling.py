"""How functions on managed instances scale: PutFunctionScalingConfig, GetFunctionScalingConfig.

Only functions with a capacity provider have such a configuration, of which there are none here.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionScalingConfig.html
"""

from lambent.model.caller import Caller, Parameters
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import FunctionReference, resolve_reference


class Scaling:
    def __init__(self, records: FunctionRecords) -> None:
        self._records = records

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        await self._version(caller, "PutFunctionScalingConfig", parameters)
        raise InvalidParameterValueException(
            "Function scaling configurations are supported for functions with a capacity provider only."
        )

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = await self._version(caller, "GetFunctionScalingConfig", parameters)
        return {"FunctionArn": reference.arn}

    async def _version(self, caller: Caller, action: str, parameters: Parameters) -> FunctionReference:
        reference = resolve_reference(caller, action, parameters["FunctionName"], parameters["Qualifier"])
        function = await self._records.get(reference.function, reference.qualifier)
        await self._records.version(function, reference)
        return reference
