// The page without a network: goes back to what was wanted as soon as there is one again. What the device believes about its
// network is not always so, hence it also looks for itself.

const LOOK_MS = 4000;
const again = () => location.reload();

addEventListener("online", again);
setInterval(() => fetch(`/offline/${document.documentElement.lang}`, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(LOOK_MS) }).then(again, () => {}), LOOK_MS);
document.getElementById("again").addEventListener("click", again);
