-- SPDX-License-Identifier: MIT
-- The live page's files, read once. uPlot's are there if scripts/uplot has fetched them; the page can do without.

local site = {}

local folder = debug.getinfo(1, "S").source:match "^@(.*)site%.lua$" .. "page/"

local HTML, CSS, JS = "text/html; charset=utf-8", "text/css; charset=utf-8", "text/javascript; charset=utf-8"

local files = {
  { "/", "index.html", HTML },
  { "/page.css", "page.css", CSS },
  { "/page.js", "page.js", JS },
  { "/uPlot.min.css", "uplot/uPlot.min.css", CSS, optional = true },
  { "/uPlot.iife.min.js", "uplot/uPlot.iife.min.js", JS, optional = true },
  { "/favicon.svg", "favicon.svg", "image/svg+xml" },
}

-- Everything comes from here, and no other page may embed this one.
local policy = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
  .. "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"

--- -> routes for chainlink.web.server
function site.routes()
  local routes = {}
  for _, row in ipairs(files) do
    local path, name, kind = row[1], row[2], row[3]
    local file, reason = io.open(folder .. name, "rb")
    if not file and not row.optional then error("the page is not installed: " .. reason, 0) end
    local body = file and file:read "*a" or ""
    if file then file:close() end
    routes[path] = function() return { status = 200, type = kind, body = body, headers = policy } end
  end
  return routes
end

return site
