"""Who calls: tokens handed out and read, and the discovery documents `az login`, MSAL and azure-identity ask for.

Tokens are signed, for those who check; ARM itself does not: whoever brings one is who it says. The front asks for the
principal.
"""

import base64
import json
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from local.simulator import authority
from local.simulator.answers import ArmError, Document, Reply, encode
from local.simulator.call import Principal

if TYPE_CHECKING:
    from local.simulator.world import World

TOKEN_SECONDS = 24 * 3600
MANAGED_IDENTITY = "tagback"


def token(world: "World", oid: str, audience: str, app: str) -> str:
    """Return a token for a principal, in the form 1.0 that Entra gives where an application asks for no other."""
    now = int(world.clock.now())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{world.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "oid": oid,
        "sub": oid,
        "appid": app,
        "tid": world.tenant,
        "ver": "1.0",
    }
    roles = world.app_roles.of(audience, oid)
    return authority.key().sign({**claims, "roles": roles} if roles else claims)


@lru_cache(maxsize=4096)
def principal_of(authorization: str) -> Principal:
    """Read who a bearer token speaks for: its oid, else its sub, else `anonymous`."""
    pieces = authorization.split(" ", 1)[-1].strip().split(".")
    try:
        middle = pieces[1] + "=" * (-len(pieces[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(middle))
        return Principal(str(claims.get("oid") or claims.get("sub") or "anonymous"), claims)
    except (IndexError, ValueError, AttributeError):
        return Principal("anonymous", {})


def required(authorization: str | None) -> Principal:
    """Return the principal of a request, or refuse one without a bearer token (documented)."""
    if authorization is None or not authorization.lower().startswith("bearer "):
        raise ArmError(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return principal_of(authorization)


def serve(world: "World", base: str, method: str, path: str, query: dict[str, str], raw: bytes) -> Reply | None:
    """Answer the identity routes; None where the path is not one of them."""
    lowered = path.lower().rstrip("/")
    if lowered == "/metadata/endpoints":
        return Reply.of(_endpoints(base, query.get("api-version", "")))
    if lowered in ("/msi/token", "/metadata/identity/oauth2/token"):
        return _managed(world, query)
    if lowered.endswith("/.well-known/openid-configuration"):
        tenant = path.strip("/").split("/")[0]
        newer = lowered.endswith("/v2.0/.well-known/openid-configuration")
        return Reply.of(_configuration(base, tenant) if newer else _older_configuration(world, base, tenant))
    if lowered.endswith(("/discovery/keys", "/discovery/v2.0/keys")):
        return Reply.of({"keys": [authority.key().published()]})
    if lowered == "/common/discovery/instance":
        return Reply.of(_instance(base))
    if method == "POST" and lowered.endswith(("/oauth2/v2.0/token", "/oauth2/token")):
        return _token(world, path, raw)
    return None


def _endpoints(base: str, version: str) -> list[Document] | Document:
    """Describe the cloud as `az cloud register` reads it (recorded with az 2.91)."""
    host = base.split("://", 1)[1]
    document: Document = {
        "portal": f"{base}/portal",
        "authentication": {
            "loginEndpoint": f"{base}/",
            "audiences": [f"{base}/", "https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": f"{base}/",
        "graphAudience": f"{base}/graph/",
        "graph": f"{base}/graph/",
        "name": "Simulated",
        "suffixes": {
            "acrLoginServer": host,
            "keyVaultDns": host,
            "sqlServerHostname": host,
            "storage": host,
            "storageSyncEndpointSuffix": host,
            "mhsmDns": host,
            "mysqlServerEndpoint": host,
            "postgresqlServerEndpoint": host,
            "mariadbServerEndpoint": host,
            "synapseAnalytics": host,
            "attestationEndpoint": host,
            "azureDataLakeAnalyticsCatalogAndJob": host,
            "azureDataLakeStoreFileSystem": host,
        },
        "batch": f"{base}/",
        "resourceManager": f"{base}/",
        "vmImageAliasDoc": f"{base}/aliases.json",
        "activeDirectoryDataLake": f"{base}/",
        "sqlManagement": f"{base}/",
        "microsoftGraphResourceId": f"{base}/graph/",
        "appInsightsResourceId": f"{base}/",
        "logAnalyticsResourceId": f"{base}/",
        "gallery": f"{base}/gallery/",
    }
    return document if version >= "2022" else [document]


def _configuration(base: str, tenant: str) -> Document:
    root = f"{base}/{tenant}"
    return {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "tenant_region_scope": "NA",
        "cloud_instance_name": base.split("://", 1)[1],
    }


def _older_configuration(world: "World", base: str, tenant: str) -> Document:
    """Describe the authority to those who check tokens of the form 1.0: another issuer, the same keys (documented)."""
    root = f"{base}/{tenant}"
    return {
        **_configuration(base, tenant),
        "token_endpoint": f"{root}/oauth2/token",
        "jwks_uri": f"{root}/discovery/keys",
        "issuer": f"https://sts.windows.net/{world.tenant}/",
        "authorization_endpoint": f"{root}/oauth2/authorize",
    }


def _instance(base: str) -> Document:
    host = base.split("://", 1)[1]
    alias = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    discovery = f"{base}/common/.well-known/openid-configuration"
    return {"tenant_discovery_endpoint": discovery, "api-version": "1.1", "metadata": [alias]}


def _managed(world: "World", query: dict[str, str]) -> Reply:
    """Answer App Service's and the instance metadata's form at once."""
    client = query.get("client_id") or query.get("object_id") or query.get("mi_res_id") or MANAGED_IDENTITY
    resource = query.get("resource", "https://management.azure.com/")
    expires = int(world.clock.now()) + TOKEN_SECONDS
    return Reply.of(
        {
            "access_token": token(world, client, resource, client),
            "client_id": client,
            "expires_in": str(TOKEN_SECONDS),
            "expires_on": str(expires),
            "ext_expires_in": str(TOKEN_SECONDS),
            "not_before": str(int(world.clock.now())),
            "resource": resource,
            "token_type": "Bearer",
        }
    )


def _token(world: "World", path: str, raw: bytes) -> Reply:
    """Answer the token endpoint: any secret is right, the client id is the principal."""
    form = {name: values[0] for name, values in parse_qs(raw.decode("utf-8", "replace")).items()}
    client = form.get("client_id") or form.get("username") or "anonymous"
    scope = form.get("scope") or form.get("resource") or ""
    audience = scope.split(" ", 1)[0].removesuffix("/.default")
    answer: Document = {
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "ext_expires_in": TOKEN_SECONDS,
        "access_token": token(world, client, audience, client),
    }
    if "/v2.0/" not in path:
        answer["resource"] = audience
        answer["expires_on"] = str(int(world.clock.now()) + TOKEN_SECONDS)
    return Reply(200, encode(answer), {"Cache-Control": "no-store"})
