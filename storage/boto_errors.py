"""boto3's trouble on the way to S3, in plain words: credentials, certificates, proxies, settings.

boto3 raises most of it as BotoCoreError, but lets errors of Python through as well: a missing
token file is an OSError, and a credential program that prints nonsense a ValueError. So what went
wrong is read from the place in boto3 where it was raised, and never from the error's own text,
which may repeat a password or what a credential program printed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

Explanation = tuple[str, str]

TIMED_OUT: Explanation = (
    "did not answer in time",
    "Check the network, the region and the endpoint's URL, then try again.",
)
RENEW_SESSION = "Renew the session: sign in again, or fetch new temporary credentials."
CHECK_KEYS = "Check the access key ID and the secret access key."

_PROFILE = "the AWS profile (~/.aws/config, or the file that AWS_CONFIG_FILE names)"
_PROXY: Explanation = (
    "cannot be reached: the proxy's address is not usable",
    "Check HTTPS_PROXY and HTTP_PROXY: http://user:password@host:port, with the characters "
    "@ : / # ? % of a user name or password as %40 %3A %2F %23 %3F %25.",
)
_ROLE: Explanation = (
    "cannot be used: AWS did not hand out credentials for the role",
    "Check role_arn and source_profile in " + _PROFILE + ", and that the role trusts this user.",
)
_WEB_IDENTITY: Explanation = (
    "cannot be used: AWS did not hand out credentials for the web identity",
    "Check AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, and that the role trusts the token.",
)
_SSO: Explanation = (
    "cannot be used: the AWS SSO session is missing or has expired, or its profile is incomplete",
    "Run `aws sso login` as the user that runs this app; check sso_session in " + _PROFILE + ".",
)
_METADATA: Explanation = (
    "cannot be used: the address of the machine's metadata service is malformed",
    "Check AWS_EC2_METADATA_SERVICE_ENDPOINT and AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE.",
)
_CA_BUNDLE: Explanation = (
    "cannot be reached safely: the file of trusted certificates could not be read",
    "Check AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE and ca_bundle in " + _PROFILE + ".",
)
_ENDPOINT: Explanation = (
    "cannot be used: the address of its service is malformed",
    "Check AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL: https://host or https://host:port.",
)

_REDIRECT: Explanation = (
    "answers with redirects that lead nowhere",
    "Check the endpoint's URL: http:// or https://, and the host.",
)
_BROKEN_OFF: Explanation = (
    "broke off its answer",
    "Check the endpoint's URL and the network, then try again.",
)

# Names of boto3's classes and functions that reveal the cause. The first one in the traceback
# counts, so parts come before what contains them.
_CREDENTIALS: tuple[tuple[str, Explanation], ...] = (
    (
        "ProcessProvider.",
        (
            "cannot be used: the credential_process of the AWS profile failed",
            "Run that command by hand, as the user that runs this app; it is set in "
            + _PROFILE
            + ".",
        ),
    ),
    (
        "FileWebIdentityTokenLoader.",
        (
            "cannot be used: the file with the web identity token could not be read",
            "Check AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file in " + _PROFILE + ".",
        ),
    ),
    ("AssumeRoleWithWebIdentity", _WEB_IDENTITY),
    ("SSO", _SSO),
    (
        "Login",
        (
            "cannot be used: the session of `aws login` is missing, has expired or can't be read",
            "Run `aws login` as the user that runs this app, or use an access key or SSO; check "
            "login_session in " + _PROFILE + ".",
        ),
    ),
    (
        "Container",
        (
            "cannot be used: the container's credentials could not be fetched",
            "Check AWS_CONTAINER_CREDENTIALS_FULL_URI or …_RELATIVE_URI and "
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, and the role of the task or pod.",
        ),
    ),
    ("create_mfa_serial_refresher", _ROLE),
    ("AssumeRole", _ROLE),
    ("CanonicalNameCredentialSourcer", _ROLE),
    (
        "IMDSFetcher",
        _METADATA,
    ),
    ("resolve_imds_endpoint_mode", _METADATA),
    (
        "RefreshableCredentials.",
        ("cannot be used: its AWS credentials have expired and no new ones came", RENEW_SESSION),
    ),
)
_REQUESTS: tuple[tuple[str, Explanation], ...] = (
    ("URLLib3Session._get_proxy_manager", _PROXY),
    ("HTTPSConnectionPool._prepare_proxy", _PROXY),
    (
        "HTTPConnection.putheader",
        (
            "cannot be used: its AWS credentials contain a line break or another odd character",
            "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
        ),
    ),
    ("S3RegionRedirectorv2.", _REDIRECT),
    ("EndpointCreator.create_endpoint", _ENDPOINT),
    ("EndpointRulesetResolver.", _ENDPOINT),
)

# By the names of their classes, because importing botocore takes 100 ms.
_KINDS: dict[str, Explanation] = {
    "NoCredentialsError": (
        "cannot be used: no AWS credentials were found",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role.",
    ),
    "PartialCredentialsError": (
        "cannot be used: half of the AWS credentials is missing",
        "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or complete " + _PROFILE + ".",
    ),
    "ProfileNotFound": (
        "cannot be used: the AWS profile was not found",
        "Check AWS_PROFILE against the profiles in ~/.aws/config.",
    ),
    "ConfigParseError": (
        "cannot be used: a file of AWS settings is malformed",
        "Check ~/.aws/config and ~/.aws/credentials, or the files that AWS_CONFIG_FILE and "
        "AWS_SHARED_CREDENTIALS_FILE name.",
    ),
    "InvalidConfigError": (
        "cannot be used: the AWS profile is incomplete or contradicts itself",
        "Check " + _PROFILE + ".",
    ),
    "InvalidRegionError": (
        "cannot be used: the region's name is malformed",
        "Check AWS_REGION, such as eu-west-1.",
    ),
    "EndpointConnectionError": (
        "could not be reached: nothing answers at its address",
        "Check the network, the region and the endpoint's URL.",
    ),
    "ProxyConnectionError": (
        "could not be reached through the proxy",
        "Check HTTPS_PROXY and HTTP_PROXY, and that the proxy runs; SOCKS is not supported.",
    ),
    "ConnectionClosedError": _BROKEN_OFF,
    "IncompleteReadError": _BROKEN_OFF,
    "ResponseStreamingError": _BROKEN_OFF,
    "SSLError": (
        "could not be reached safely: its TLS certificate was not accepted",
        "Check the endpoint's URL, and AWS_CA_BUNDLE if the certificate is your own.",
    ),
}


# What OpenSSL says of a file that holds no certificates.
_UNREADABLE = ("NO_CERTIFICATE_OR_CRL_FOUND", "BAD_BASE64_DECODE", "NO_START_LINE")
_NO_NETWORK = ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError")


def raised_by_boto(error: BaseException) -> bool:
    """Return whether `error` comes from inside boto3, so that it isn't a defect of our own."""
    return any(module in ("boto3", "botocore") for module, _ in _places(error))


def credentials_trouble(error: BaseException) -> Explanation | None:
    """Return what kept boto3 from getting credentials, or None if that wasn't the trouble."""
    # Credentials are fetched through the same proxy, and with the same trusted certificates.
    if _is_a(error, "ProxyConnectionError") or _cannot_read_certificates(error):
        return request_trouble(error)
    words = _first(_CREDENTIALS, error)
    return words and _with_cause(error, words)


def request_trouble(error: BaseException) -> Explanation:
    """Return what kept boto3 from asking S3, or from understanding its answer."""
    if _cannot_read_certificates(error):
        return _CA_BUNDLE
    known = next((words for kind, words in _KINDS.items() if _is_a(error, kind)), None)
    if known or (known := _first(_REQUESTS, error)):
        return _with_cause(error, known)
    if any("Timeout" in kind.__name__ for kind in type(error).__mro__):
        return TIMED_OUT
    return (
        f"could not be used ({type(error).__name__})",
        "Check the AWS settings: credentials, region, endpoint and " + _PROFILE + ".",
    )


def _is_a(error: BaseException, kind: str) -> bool:
    return any(base.__name__ == kind for base in type(error).__mro__)


def _first(places: tuple[tuple[str, Explanation], ...], error: BaseException) -> Explanation | None:
    names = [name for _, name in _places(error)]
    for place, words in places:
        if any(name.startswith(place) for name in names):
            return words
    return None


def _with_cause(error: BaseException, words: Explanation) -> Explanation:
    happened, hint = words
    if isinstance(error, EOFError):
        return f"{happened}: it asks for an MFA code, which nobody can enter here", hint
    for each in _chain(error):
        # A file's name and an error code of AWS hold no secret.
        if isinstance(each, OSError) and each.filename and each.strerror:
            return f"{happened} ({each.filename}: {each.strerror})", hint
        if type(each).__name__ == "ConfigParseError":
            path = getattr(each, "kwargs", {}).get("path", "")
            return f"{happened} ({path})", hint
        answer = getattr(each, "response", None)
        if isinstance(answer, dict) and (code := answer.get("Error", {}).get("Code")):
            return f"{happened} ({code})", hint
        if happened.startswith("cannot be used") and type(each).__name__ in _NO_NETWORK:
            return f"{happened}, because its service could not be reached", hint
    return words


def _cannot_read_certificates(error: BaseException) -> bool:
    """Return whether the file of trusted certificates is the trouble, rather than the host's.

    urllib3 reads the file only when it connects, and calls an unreadable one a TLS error.
    """
    return _is_a(error, "SSLError") and any(
        isinstance(each, FileNotFoundError | IsADirectoryError | PermissionError)
        or getattr(each, "reason", None) in _UNREADABLE
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what caused it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _places(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield the package and the function of each call that led to the error and its causes."""
    for each in _chain(error):
        for frame, _ in traceback.walk_tb(each.__traceback__):
            module = str(frame.f_globals.get("__name__", ""))
            yield module.partition(".")[0], frame.f_code.co_qualname
