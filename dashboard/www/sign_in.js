// Light or dark as chosen on the other pages, and a button that shows the password.

(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("callboard-theme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  document.documentElement.dataset.bsTheme = ["light", "dark"].includes(chosen) ? chosen : system;

  document.addEventListener("DOMContentLoaded", () => {
    const password = document.getElementById("password");
    if (!password) return;
    const button = document.createElement("button");
    button.type = "button";
    const say = (shown) => {
      password.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-label", `${button.textContent} the password`);
    };
    button.addEventListener("click", () => say(password.type === "password"));
    // Hide it again, so that the browser doesn't remember the password as typed text.
    password.form.addEventListener("submit", () => say(false));
    say(false);
    password.after(button);
  });
})();
