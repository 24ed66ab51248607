// The tab's storage. Browsers may deny it to a frame of another site; then what was typed lives as long as the page.

function ofThePage() {
  const kept = new Map();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => void kept.set(name, text),
    removeItem: (name) => void kept.delete(name),
  };
}

function ofTheTab() {
  try {
    sessionStorage.getItem("");
    return sessionStorage;
  } catch {
    return ofThePage();
  }
}

export const memory = ofTheTab();
