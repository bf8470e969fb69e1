// Pictures open at full size; without scripts they stay as they are.
const viewer = document.querySelector("dialog");
for (const button of document.querySelectorAll(".enlarge")) {
  button.addEventListener("click", () => {
    viewer.replaceChildren(button.querySelector("img").cloneNode());
    viewer.showModal();
  });
}
viewer.addEventListener("click", () => viewer.close());

// The section in view is marked in the table of contents.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    links.get(target.id)?.toggleAttribute("aria-current", isIntersecting);
  }
}, { rootMargin: "-25% 0px -70% 0px" });
document.querySelectorAll("section[id]").forEach((section) => watcher.observe(section));
