// The login: a token is sent once, and the browser keeps a cookie that no script can read.
import { Refused, ask, wordsOf } from "./api.js";
import { complain, field, make } from "./dom.js";

export class Login {
  #token = field("Token", make("input", { type: "password", autocomplete: "current-password", required: true }), {
    hint: "The operator's token, or a tenant's: it shows what is the tenant's own.",
  });
  #send = make("button", { type: "submit", class: "main" }, "Log in");

  /** `done` is called once somebody is logged in. */
  constructor(done) {
    const form = make(
      "form",
      { class: "panel login", novalidate: true },
      make("h2", {}, "Log in"),
      this.#token.box,
      make("div", { class: "actions" }, this.#send),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#logIn(done);
    });
    this.box = form;
  }

  focus() {
    this.#token.control.focus();
  }

  async #logIn(done) {
    complain(this.#token, "");
    const token = this.#token.control.value.trim();
    if (token === "") return complain(this.#token, "Enter a token.");
    this.#send.disabled = true;
    try {
      await ask("session", { method: "POST", body: { token } });
      this.#token.control.value = "";
      done();
    } catch (error) {
      complain(this.#token, error instanceof Refused ? error.message : wordsOf(error));
      this.#token.control.select();
    } finally {
      this.#send.disabled = false;
    }
  }
}
