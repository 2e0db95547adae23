-- SPDX-License-Identifier: MIT
-- Headers of what is served to browsers: pairs of name and value.

local headers = {}

--- Nothing here is for another page to embed, or to be kept for later.
headers.common = {
  { "Cache-Control", "no-store" },
  { "X-Content-Type-Options", "nosniff" },
  { "Referrer-Policy", "no-referrer" },
  { "Cross-Origin-Resource-Policy", "same-origin" },
}

--- Of the page and its files: everything comes from where the page comes from.
headers.page = {
  { "Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    .. "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
}

--- As lines of HTTP/1.1.
function headers.lines(list)
  local lines = {}
  for i, pair in ipairs(list) do lines[i] = ("%s: %s\r\n"):format(pair[1], pair[2]) end
  return table.concat(lines)
end

return headers
