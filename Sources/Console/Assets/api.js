// The console's own server, and nothing else.

export async function get(path, parameters = {}, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "")).toString();
  let response;
  try {
    response = await fetch("/api/" + path + (query ? "?" + query : ""), { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The console's server does not answer. Is the process still running?");
  }
  const type = response.headers.get("content-type") ?? "";
  if (!response.ok) throw new Error(type.startsWith("application/json") ? (await response.json()).error : (await response.text()).trim());
  return response.json();
}

// Calls `draw` with what `path` answers, now and again, while the page is shown and somebody can see it.
export async function poll(path, parameters, milliseconds, signal, draw, fail) {
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        draw(await get(path, parameters, signal));
        fail(null);
      } catch (error) {
        if (signal.aborted) return;
        fail(error);
      }
    }
    await new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
    });
  }
}
