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
    told(problem || [...input.files].map((file) => file.name).join(", "), Boolean(problem));
  });
}
