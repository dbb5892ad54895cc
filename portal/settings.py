"""Django's settings: one file. What differs between hosts comes from the environment.

``docs/operators/settings.md`` explains every variable read here.
"""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

from portal.environment import Environment, postgresql
from portal.preview.hosts import frame_source

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024

# --- where things are ---

MADANG_STATE = Path(env.text("MADANG_STATE", str(BASE_DIR / "var"))).expanduser().resolve()
MADANG_STATE.mkdir(parents=True, exist_ok=True)


def _secret_key(file: Path) -> str:
    """The site's secret, made at the first start and readable by its owner only."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(key := get_random_secret_key())
    return key


def _private_file(file: Path) -> Path:
    """``file``, made empty and for its owner's eyes only where it is not there yet."""
    os.close(os.open(file, os.O_RDONLY | os.O_CREAT, 0o600))
    return file


def _private_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


SECRET_KEY = env.text("SECRET_KEY") or _secret_key(MADANG_STATE / "secret_key")
DEBUG = env.flag("DEBUG", False)

# --- sessions: what the session service reads ---

MADANG_DRIVER = env.text("MADANG_DRIVER", "jail")
MADANG_IDLE_TIMEOUT = env.integer("MADANG_IDLE_TIMEOUT", 1800, at_least=10, at_most=30 * 86400)
MADANG_UPLOAD_LIMIT = env.integer("MADANG_UPLOAD_LIMIT", 256 * MIB, at_least=1024, at_most=1 << 40)
# Cores are shared well, so they may be promised several times over; memory may not.
MADANG_CAPACITY_CPU = env.number("MADANG_CAPACITY_CPU", 8.0 * (os.cpu_count() or 1), at_least=0.01, at_most=1e6)
MADANG_CAPACITY_MEMORY = env.integer(
    "MADANG_CAPACITY_MEMORY",
    os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    at_least=32 * MIB,
    at_most=1 << 50,
)
# What one session, and one user, may have of it.
MADANG_MAX_GPU = env.number("MADANG_MAX_GPU", 1.0, at_least=0, at_most=64)
MADANG_MAX_CPU = env.number("MADANG_MAX_CPU", float(os.cpu_count() or 1), at_least=0.01, at_most=1024)
MADANG_MAX_MEMORY = env.integer(
    "MADANG_MAX_MEMORY", max(32 * MIB, MADANG_CAPACITY_MEMORY // 2), at_least=32 * MIB, at_most=1 << 44
)
MADANG_SPARES = env.integer("MADANG_SPARES", 16, at_least=0, at_most=64)
MADANG_RUN_SECONDS = env.number("MADANG_RUN_SECONDS", 60.0, at_least=1.0, at_most=3600.0)
MADANG_SELFTESTS = env.flag("MADANG_SELFTESTS", True)
MADANG_MAX_RUNS = env.integer("MADANG_MAX_RUNS", 20, at_least=1, at_most=100_000)
MADANG_MAX_SESSIONS = env.integer("MADANG_MAX_SESSIONS", 20, at_least=1, at_most=100_000)

# What an hour of a core, a GiB... cost, in one currency; by default nothing does.
MADANG_PRICES = env.prices("MADANG_PRICES")

# What sessions may reach; an image or a policy may narrow it.
MADANG_NETWORK = env.choice("MADANG_NETWORK", "packages", ["none", "packages", "public"])
# What people may have fetched into a new project: any public address, or nothing.
MADANG_FETCH = env.choice("MADANG_FETCH", "public", ["none", "public"])
MADANG_PACKAGE_HOSTS = env.hosts("MADANG_PACKAGE_HOSTS")
MADANG_EGRESS_ALLOW = env.allowances("MADANG_EGRESS_ALLOW")

# --- who may reach the site, and how ---

MADANG_ORIGINS = env.origins("MADANG_ORIGINS")
MADANG_PROXIES = env.integer("MADANG_PROXIES", 0, at_least=0, at_most=8)
HTTPS = env.flag("MADANG_HTTPS", bool(MADANG_ORIGINS) and all(o.startswith("https://") for o in MADANG_ORIGINS))
# Ports of sessions are shown under hosts below this one, which never reach the site's own pages.
MADANG_PREVIEW_HOST = env.host("MADANG_PREVIEW_HOST")
# May people show a port to everybody for a time? And how often a minute one visitor may ask for one that is shown so.
MADANG_PUBLIC_PORTS = env.flag("MADANG_PUBLIC_PORTS", True)
MADANG_PUBLIC_PORT_RATE = env.integer("MADANG_PUBLIC_PORT_RATE", 600, at_least=1, at_most=1_000_000)
ALLOWED_HOSTS = env.items("MADANG_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = MADANG_ORIGINS
ALLAUTH_TRUSTED_PROXY_COUNT = NINJA_NUM_PROXIES = MADANG_PROXIES
if MADANG_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Host-only: no cookie of the site's is sent to a preview. Over TLS its name keeps others from setting it, too.
SESSION_COOKIE_NAME = "__Host-madang_session" if HTTPS else "madang_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
LANGUAGE_COOKIE_NAME = "madang_language"
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
# What one request may carry; larger files come in chunks (see portal/contents.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * MIB

# The workspace needs: styles set by CodeMirror and xterm.js, pictures and fonts in data: URLs,
# plots as blobs, and outputs shown in sandboxed frames whose documents are blobs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "frame-src": [SELF, "blob:", "data:", frame_source(MADANG_PREVIEW_HOST, HTTPS)],
        "frame-ancestors": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
    }
}

# --- parts ---

INSTALLED_APPS = [
    "portal",
    "portal.documents",
    "sessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "allauth",
    "allauth.account",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.locale.LocaleMiddleware",
    "portal.locale.TimeZoneMiddleware",
    "portal.authentication.ApiKeyMiddleware",
    "portal.authentication.CsrfMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.problems.ProblemMiddleware",
]
ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "portal.context.site",
            ],
        },
    },
]

# --- data ---

_database = env.url("DATABASE_URL", ["postgres", "postgresql"])
_sqlite = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": _private_file(MADANG_STATE / "db.sqlite3"),
    "OPTIONS": {
        "timeout": 20,
        # A transaction that will write takes its lock at the start: it waits instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        " PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2000; PRAGMA mmap_size=33554432;",
    },
}
_kept = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}  # threads stay, see portal/handler.py
DATABASES = {"default": (postgresql(_database) if _database else _sqlite) | _kept}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL") if env.url("REDIS_URL", ["redis", "rediss", "unix"]) else ""
if REDIS_URL:
    # With a limit redis-py writes under asyncio.wait_for, which on Python 3.11 loses cancellations (gh-86296), and the
    # layer waits for a message as long as such a limit is by itself. Who speaks to it has limits: sessions/ear.py.
    _host = {"address": REDIS_URL, "socket_timeout": None}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [_host]}}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CACHES["process"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "process"}

STATIC_URL = "/static/"
STATIC_ROOT = MADANG_STATE / "static"

# --- people ---

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "landing"
MADANG_SIGNUP = env.choice("MADANG_SIGNUP", "open", ["open", "closed"])
ACCOUNT_ADAPTER = "portal.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "portal.accounts.SignupExtra"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "portal.accounts.display_name"
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Madang] "
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"

# --- mail ---

_mail = env.text("MADANG_MAIL", "folder")
DEFAULT_FROM_EMAIL = env.text("MADANG_MAIL_FROM", "Madang <madang@localhost>")
if _mail == "folder":
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = _private_folder(MADANG_STATE / "mail")
elif _mail == "console":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
elif _smtp := env.url("MADANG_MAIL", ["smtp", "smtps", "smtp+tls"]):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _smtp.hostname or "localhost"
    EMAIL_PORT = _smtp.port or {"smtp": 25, "smtps": 465, "smtp+tls": 587}[_smtp.scheme]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _smtp.username or "", _smtp.password or ""
    EMAIL_USE_SSL, EMAIL_USE_TLS = _smtp.scheme == "smtps", _smtp.scheme == "smtp+tls"
    EMAIL_TIMEOUT = 15

# --- languages and time ---

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"

# --- logs ---

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "portal.logs.ScrubFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.text("MADANG_LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A refused request is the visitor's business, and its path may hold what they typed.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
