"""Who may do what, and as whom: what credentials, sessions and permissions are decided by."""

from lambent.api.client import InProcessClient
from lambent.base.clock import Clock
from lambent.base.sealing import Sealing
from lambent.server import adapters
from lambent.server.keys import MasterKey
from lambent.services import iam, sts
from lambent.store.sql.roles import SqlRoleStore


class Identity:
    def __init__(self, roles: SqlRoleStore, people: iam.Stores, master_key: MasterKey, clock: Clock) -> None:
        self.sessions = sts.SessionTokens(master_key.derive("sessions"), clock)
        self.role_checker = iam.RoleChecker(roles)
        self.role_callers = adapters.RoleSessions(self.role_checker)
        self.access_keys = Sealing(master_key.derive("access keys"))
        self.users = iam.UserCredentials(people.users, self.access_keys)
        self.key_uses = iam.KeyUses(people.key_uses, clock)
        self.authorizer = iam.Authorizer(roles, clock, people, self.key_uses)
        self.client = InProcessClient(self.authorizer)
