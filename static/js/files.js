// File inputs: what the server would refuse by number or size is told at once. The server looks again, and closer.

export function watchFiles(input, told = () => {}) {
  input.addEventListener("change", () => {
    const files = [...input.files];
    let problem = "";
    if (files.length > Number(input.dataset.most)) problem = input.dataset.tooMany;
    const large = files.find((file) => file.size > Number(input.dataset.bytes));
    if (!problem && large) problem = `“${large.name}”: ${input.dataset.tooLarge}`;
    input.setCustomValidity(problem);
    if (problem) {
      input.reportValidity();
      input.value = "";
      input.setCustomValidity("");
    }
    told(problem, input.files);
  });
}

// A composer's files: their names, or what is wrong with them, and a button that lets them go again.
export function watchComposer(form, changed = () => {}) {
  const { files: input } = form.elements;
  watchFiles(input, (problem) => {
    draw(form, problem);
    changed();
  });
  form.querySelector("[data-unchoose]").addEventListener("click", () => {
    setFiles(form, []);
    changed();
    input.focus();
  });
}

export function setFiles(form, files) {
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  form.elements.files.files = carrier.files;
  draw(form, "");
}

function draw(form, problem) {
  const { files } = form.elements.files;
  const words = form.querySelector("[data-chosen]");
  words.textContent = problem || [...files].map((file) => file.name).join(", ");
  words.classList.toggle("refused", Boolean(problem));
  form.querySelector("[data-unchoose]").hidden = !files.length;
}
