// Leads to the root of the site from whatever address does not exist.
(() => {
  "use strict";
  const below = /^(.*?\/)(?:check|records|contribute|data|assets)\//.exec(location.pathname);
  const root = below ? below[1] : location.pathname.replace(/[^/]*$/, "");
  for (const link of document.querySelectorAll("a")) link.href = root + link.getAttribute("href");
})();
