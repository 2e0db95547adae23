-- SPDX-License-Identifier: MIT
-- Answers requests for the live page, its files and its events.

local headers = require "chainlink.web.headers"
local site = require "chainlink.web.site"

local page = {}

local files -- read when the first one is asked for

local function set(list)
  for _, pair in ipairs(list) do ngx.header[pair[1]] = pair[2] end
end

--- By the last part of the path: "" is the page, "events" its events.
function page.answer(feed)
  local method, name = ngx.req.get_method(), ngx.var.uri:match "[^/]*$"
  if method ~= "GET" and method ~= "HEAD" then
    ngx.header.allow = "GET, HEAD"
    return ngx.exit(405)
  end
  set(headers.common)
  if name == "events" then return feed:sse() end
  files = files or site.files()
  local file = files["/" .. name]
  if not file then return ngx.exit(404) end
  set(headers.page)
  ngx.header.content_type, ngx.header.content_length = file.type, #file.body
  ngx.print(file.body)
end

return page
