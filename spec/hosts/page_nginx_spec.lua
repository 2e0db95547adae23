-- SPDX-License-Identifier: MIT
-- The live page of an nginx, in Chromium.
local host = require "spec.support.host"
local live_page = require "spec.support.live_page"
local nginx = require "spec.support.nginx"
local serving = require "spec.support.serving"

local card = live_page.card

local has_nginx = rawget(_G, "jit") and (nginx.is_there() or host.is_wanted "nginx")
local define = has_nginx and host.has_command "chromedriver" and describe or pending

define("the live page in nginx", function()
  local service, server, page, feeds
  setup(function()
    live_page.prepare()
    service = serving.service()
    feeds = service.feeds
    server = nginx.start { file = "examples/nginx/nginx.conf", environment = service.sim.env, replace = {
      ['"ETH/USD", "BTC/USD", "EUR/USD", "XAU/USD"'] =
        ('%q, %q, %q, "NOPE/USD"'):format(feeds[1].name, feeds[2].name, feeds[3].id) } }
    page = live_page.open(service.folder, server.port)
  end)
  teardown(function()
    page:stop()
    server:stop()
    service:stop()
  end)

  it("shows the prices that the service has, and in words what it cannot show", function()
    page:becomes_well { feeds[3].id, "NOPE/USD" }
    for _, feed in ipairs { feeds[1], feeds[2] } do page:assert_price(service.client, feed) end
    page:becomes(card "NOPE/USD" .. " .problem", "no feed is named 'NOPE/USD'")
    page:becomes(card(feeds[3]) .. " .problem", "permi")
  end)

  it("has nothing on the console, and no fault of accessibility", function() page:assert_sound() end)

  it("tells of a broken connection, and misses nothing by it, without a reload", function()
    page:assert_mends(feeds[1], { feeds[3].id, "NOPE/USD" })
  end)

  it("tells of a service that does not answer, and when it does again", function()
    page:assert_tells_of_outage(service.sim, { feeds[3].id, "NOPE/USD" })
  end)
end)
