"""CreatePipe, DescribePipe, UpdatePipe, DeletePipe, ListPipes, StartPipe, StopPipe. They write what is wanted: the
pipes at work (lambent.event_sources.pipes) make it so, and write that it is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock
from lambent.base.page_tokens import read_token, write_token
from lambent.model.caller import Caller, Parameters, PassRole
from lambent.model.error import ValidationException
from lambent.model.pipe import PIPES, Pipe, PipeState, batching
from lambent.model.service import Operation
from lambent.services.pipes.checks import check
from lambent.services.pipes.errors import conflict, no_pipe, not_offered
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Name, NamedRecords

_ATTEMPTS = 20
_PAGE = 100


class Pipes:
    """`wake` is called when a pipe is wanted otherwise than before."""

    def __init__(
        self,
        pipes: NamedRecords[Pipe],
        pass_role: PassRole,
        clock: Clock,
        settle_seconds: float,
        wake: Callable[[], None],
    ) -> None:
        self._pipes = pipes
        self._pass_role = pass_role
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._wake = wake

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreatePipe": self.create,
            "DescribePipe": self.describe,
            "UpdatePipe": self.update,
            "DeletePipe": self.delete,
            "ListPipes": self.list,
            "StartPipe": self.start,
            "StopPipe": self.stop,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check_offered(parameters)
        now = self._clock.now()
        pipe = Pipe(
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["Name"],
            description=parameters.get("Description"),
            desired_state=parameters.get("DesiredState", "RUNNING"),
            state="CREATING",
            settles_at=now + self._settle_seconds,
            source=parameters["Source"],
            source_parameters=parameters.get("SourceParameters", {}),
            enrichment=parameters.get("Enrichment") or None,
            enrichment_parameters=parameters.get("EnrichmentParameters", {}),
            target=parameters["Target"],
            target_parameters=parameters.get("TargetParameters", {}),
            log_configuration=parameters.get("LogConfiguration", {}),
            role_arn=parameters["RoleArn"],
            tags=parameters.get("Tags", {}),
            created_at=now,
            modified_at=now,
        )
        check(pipe)
        await self._pass_role(caller, pipe.role_arn, PIPES)
        try:
            await self._pipes.insert(_name(caller, pipe.name), pipe)
        except AlreadyExistsError:
            raise conflict(pipe.name, f"Pipe {pipe.name} already exists.") from None
        self._wake()
        return _changed(pipe, caller)

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        _check_offered(parameters)
        await self._pass_role(caller, parameters["RoleArn"], PIPES)

        def edit(pipe: Pipe) -> Pipe:
            edited = replace(
                _in_state(pipe, "UPDATING"),
                description=parameters.get("Description", pipe.description),
                desired_state=parameters.get("DesiredState", pipe.desired_state),
                source_parameters={**pipe.source_parameters, **parameters.get("SourceParameters", {})},
                enrichment=parameters.get("Enrichment", pipe.enrichment) or None,
                enrichment_parameters=_merged(pipe.enrichment_parameters, parameters, "EnrichmentParameters"),
                target=parameters.get("Target", pipe.target),
                target_parameters=_merged(pipe.target_parameters, parameters, "TargetParameters"),
                log_configuration=parameters.get("LogConfiguration", pipe.log_configuration),
                role_arn=parameters["RoleArn"],
            )
            check(edited)
            return edited

        return _changed(await self._change(_name(caller, parameters["Name"]), edit), caller)

    async def start(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(pipe: Pipe) -> Pipe:
            if pipe.state == "RUNNING":
                return pipe
            return replace(_in_state(pipe, "STARTING"), desired_state="RUNNING")

        return _changed(await self._change(_name(caller, parameters["Name"]), edit), caller)

    async def stop(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(pipe: Pipe) -> Pipe:
            if pipe.state == "STOPPED":
                return pipe
            return replace(_in_state(pipe, "STOPPING"), desired_state="STOPPED")

        return _changed(await self._change(_name(caller, parameters["Name"]), edit), caller)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        def edit(pipe: Pipe) -> Pipe:
            if pipe.state == "DELETING":
                return pipe
            return replace(pipe, state="DELETING", desired_state="DELETED")

        return _changed(await self._change(_name(caller, parameters["Name"]), edit), caller)

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        pipe = await self._require(_name(caller, parameters["Name"]))
        members = {
            **_listed(pipe, caller),
            "SourceParameters": {**pipe.source_parameters, "SqsQueueParameters": batching(pipe)},
            "EnrichmentParameters": pipe.enrichment_parameters,
            "TargetParameters": pipe.target_parameters,
            "RoleArn": pipe.role_arn,
            "Tags": dict(pipe.tags),
        }
        if pipe.description is not None:
            members["Description"] = pipe.description
        if pipe.log_configuration:
            members["LogConfiguration"] = pipe.log_configuration
        return members

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        most = parameters.get("Limit", _PAGE)
        after = _position(parameters.get("NextToken"))
        prefix = parameters.get("NamePrefix", "")
        found: list[Pipe] = []
        while len(found) <= most:
            page = await self._pipes.page(
                caller.account_id, caller.region, prefix=prefix, after=("", after), limit=_PAGE
            )
            found += [pipe for _, pipe in page if _wanted(pipe, parameters)]
            if len(page) < _PAGE:
                break
            after = page[-1][0].name
        answer: Parameters = {"Pipes": [_listed(pipe, caller) for pipe in found[:most]]}
        return answer | ({"NextToken": write_token(found[most - 1].name)} if len(found) > most else {})

    async def tagged(
        self, name: Name, edit: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        """A pipe's tags, changed or as they are. Raises NotFoundException."""
        pipe = await self._change(name, lambda pipe: replace(pipe, tags=edit(pipe.tags)))
        return pipe.tags

    async def _change(self, name: Name, edit: Callable[[Pipe], Pipe]) -> Pipe:
        """Raises NotFoundException, and what `edit` raises."""
        for _ in range(_ATTEMPTS):
            previous = await self._require(name)
            edited = edit(previous)
            if edited == previous:
                return previous
            now = self._clock.now()
            if edited.tags == previous.tags:
                edited = replace(edited, modified_at=now, settles_at=now + self._settle_seconds)
            try:
                await self._pipes.replace(name, edited, previous=previous)
            except (StaleRevisionError, NotFoundError):
                continue
            self._wake()
            return edited
        raise conflict(name.name, f"Pipe {name.name} is being modified by other requests.")

    async def _require(self, name: Name) -> Pipe:
        pipe = await self._pipes.get(name)
        if pipe is None:
            raise no_pipe(name.name)
        return pipe


def _in_state(pipe: Pipe, state: PipeState) -> Pipe:
    """Raises ConflictException for one that is still on its way."""
    if pipe.in_transition:
        raise conflict(pipe.name, f"Pipe {pipe.name} cannot be changed while it is {pipe.state}.")
    return replace(pipe, state=state)


def _merged(before: Mapping[str, Any], parameters: Parameters, name: str) -> Mapping[str, Any]:
    """Member by member, each as a whole; an empty template is none."""
    merged = {**before, **parameters.get(name, {})}
    if not merged.get("InputTemplate", "x"):
        del merged["InputTemplate"]
    return merged


def _check_offered(parameters: Parameters) -> None:
    """Raises ValidationException."""
    if parameters.get("KmsKeyIdentifier"):
        raise not_offered("KmsKeyIdentifier", "customer managed keys for pipes")


def _wanted(pipe: Pipe, parameters: Parameters) -> bool:
    return (
        parameters.get("DesiredState") in (None, pipe.desired_state)
        and parameters.get("CurrentState") in (None, pipe.state)
        and pipe.source.startswith(parameters.get("SourcePrefix", ""))
        and pipe.target.startswith(parameters.get("TargetPrefix", ""))
    )


def _position(token: str | None) -> str:
    """Raises ValidationException."""
    try:
        return "" if token is None else read_token(token)
    except ValueError:
        raise ValidationException("Invalid NextToken.") from None


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _changed(pipe: Pipe, caller: Caller) -> Parameters:
    return {
        "Arn": pipe.arn(caller.partition),
        "Name": pipe.name,
        "DesiredState": pipe.desired_state,
        "CurrentState": pipe.state,
        "CreationTime": pipe.created_at,
        "LastModifiedTime": pipe.modified_at,
    }


def _listed(pipe: Pipe, caller: Caller) -> Parameters:
    members = {**_changed(pipe, caller), "Source": pipe.source, "Target": pipe.target}
    if pipe.enrichment is not None:
        members["Enrichment"] = pipe.enrichment
    if pipe.state in ("RUNNING", "STOPPED"):
        members["StateReason"] = "User initiated"
    return members
