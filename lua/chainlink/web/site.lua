-- SPDX-License-Identifier: MIT
-- The live page's files, read once. uPlot's are there if scripts/uplot has fetched them; the page can do without.

local headers = require "chainlink.web.headers"

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

--- -> [path] = {type=, body=}
function site.files()
  local found = {}
  for _, row in ipairs(files) do
    local path, name, kind = row[1], row[2], row[3]
    local file, reason = io.open(folder .. name, "rb")
    if not file and not row.optional then error("the page is not installed: " .. reason, 0) end
    found[path] = { type = kind, body = file and file:read "*a" or "" }
    if file then file:close() end
  end
  return found
end

--- -> routes for chainlink.web.server
function site.routes()
  local routes, lines = {}, headers.lines(headers.page)
  for path, file in pairs(site.files()) do
    routes[path] = function() return { status = 200, type = file.type, body = file.body, headers = lines } end
  end
  return routes
end

return site
