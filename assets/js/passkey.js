// Passkeys: the one thing here that cannot be done without script, so it is offered only where there is some.
const form = document.querySelector("[data-passkey]");
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function made(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), excludeCredentials: known(asked.excludeCredentials) };
  publicKey.user = { ...asked.user, id: bytes(asked.user.id) };
  const key = await navigator.credentials.create({ publicKey });
  return answer(key, {
    attestationObject: text(key.response.attestationObject),
    transports: key.response.getTransports ? key.response.getTransports() : [],
  });
}

async function shown(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
  const key = await navigator.credentials.get({ publicKey });
  return answer(key, {
    authenticatorData: text(key.response.authenticatorData),
    signature: text(key.response.signature),
    userHandle: key.response.userHandle ? text(key.response.userHandle) : null,
  });
}

function answer(key, response) {
  return JSON.stringify({
    id: key.id,
    rawId: text(key.rawId),
    type: key.type,
    response: { clientDataJSON: text(key.response.clientDataJSON), ...response },
    clientExtensionResults: key.getClientExtensionResults(),
  });
}

if (form && window.PublicKeyCredential) {
  const said = form.querySelector("[data-passkey-said]");
  const asked = JSON.parse(form.dataset.question);
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    said.textContent = "";
    try {
      form.elements.answer.value = await (form.dataset.passkey === "make" ? made(asked) : shown(asked));
      form.submit();
    } catch {
      // Whoever cancelled, or has no such passkey at hand, is told what else there is.
      said.textContent = form.dataset.failed;
    }
  });
}
