-- SPDX-License-Identifier: MIT
-- relay --listen: the service's protocol for processes of this machine.

local listening = require "chainlink.cli.listening"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local service = require "chainlink.later" "chainlink.web.service"
local session = require "chainlink.cli.session"

local local_service = {}

local KEY, SECRET = "CHAINLINK_STREAMS_LOCAL_KEY", "CHAINLINK_STREAMS_LOCAL_SECRET"

local function from_environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function is_loopback(address)
  return address:find "^unix:" or address:find "^127%.%d+%.%d+%.%d+:" or address:find "^localhost:"
    or address:find "^%[::1%]:"
end

--- What is wrong with --listen and what belongs to it is a usage error. Reads the key and secret.
function local_service.check(values)
  values.key, values.secret = from_environment(KEY), from_environment(SECRET)
  if (values.key == nil) ~= (values.secret == nil) then
    options.usage_error("set both %s and %s, or none", KEY, SECRET)
  end
  if not values.key and not values.listen:find "^unix:" then
    options.usage_error("who connects to a port must sign: set %s and %s, or listen on unix:PATH", KEY, SECRET)
  end
  if not values["allow-remote"] and not is_loopback(values.listen) then
    options.usage_error("other machines may reach %s: say --allow-remote if they shall", values.listen)
  end
end

local function read_all(source, served)
  local attend = listening.attendant(served)
  while true do
    attend()
    served:pass(session.check(source:read()))
  end
end

--- Serves the feeds, {ids=, names= by id}, until the stream fails, and raises by what.
function local_service.run(client, values, feeds, on_status)
  local served, why, is_address = service.listen(client, { address = values.listen, feeds = feeds.ids,
    names = feeds.names, key = values.key, secret = values.secret })
  if not served then
    if is_address then options.usage_error("--listen: %s", why) end
    error(why, 0)
  end
  values.service = served
  local address = served:address()
  local where = address:find "^unix:" and address or ("http://%s and ws://%s"):format(address, address)
  output.print(("Serving on %s  (Ctrl-C ends it)"):format(where))
  output.flush()
  local ok, err = pcall(function()
    local source = session.check(client:stream(feeds.ids, { on_status = on_status }))
    served:serve(source)
    read_all(source, served)
  end)
  served:close()
  values.service = nil
  if not ok then error(err, 0) end
end

return local_service
