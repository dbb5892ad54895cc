/** Requests to our own site: CSRF header, JSON, and problem details turned into one kind of error. */

let csrf = "";

/** Remember the CSRF token that the page was given; without one the cookie's is used. */
export function setCsrf(token: string): void {
  if (token) csrf = token;
}

export function csrfToken(): string {
  return csrf || (/(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "");
}

/** What the site answered when it refused; `status` 0 means that it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly hint = "",
  ) {
    super(detail);
  }
}

type Json = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Build the error for an answer that is not a success; its body may be a problem, a Jupyter error or nothing. */
export async function errorOf(response: Response): Promise<ApiError> {
  let body: Json = {};
  try {
    const parsed: unknown = await response.json();
    if (parsed !== null && typeof parsed === "object") body = parsed as Json;
  } catch {
    body = {}; // a proxy's HTML page or an empty body: the status line says what there is to say
  }
  const detail = text(body.detail) || text(body.message) || text(body.title) || response.statusText;
  return new ApiError(response.status, text(body.code) || String(response.status), detail, text(body.hint));
}

export interface RequestOptions {
  method?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form. */
  form?: URLSearchParams;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** `fetch` with our headers; resolves for success only.
 * @throws ApiError the site refused, or could not be reached (status 0). */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json", ...options.headers };
  const method = options.method ?? "GET";
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      signal: options.signal ?? null,
      body: options.form ?? (options.body === undefined ? null : JSON.stringify(options.body)),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The site cannot be reached.");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** As `send`, for the parsed JSON of the answer (undefined for an empty one). */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  const body = await response.text();
  return (body ? JSON.parse(body) : undefined) as T;
}

/** The absolute WebSocket URL of a path of this site. */
export function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
