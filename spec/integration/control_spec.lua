-- SPDX-License-Identifier: MIT
-- The simulator's control paths: what a web page in a browser on this machine could send is refused.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("the simulator's control", function()
  local sim

  before_each(function() sim = simulator.start { feeds = 1 } end)
  after_each(function() sim:stop() end)

  local function ask(arguments, path)
    local output = project.run(("curl -sk --max-time 60 -o /dev/null -w '%%{http_code}' %s %s%s"):format(arguments,
      sim.rest_url, path))
    return tonumber(output)
  end

  local FAULT = "--data-raw on=rest,action=reset,times=0"
  local HEADER = "-H 'X-Simulator-Control: 1'"

  it("refuses a form, a text and a script of another site", function()
    for _, kind in ipairs { "application/x-www-form-urlencoded", "text/plain", "multipart/form-data" } do
      assert.are.equal(403, ask(FAULT .. " -H 'Origin: https://evil.example' -H 'Content-Type: " .. kind .. "'",
        "/control/faults"))
    end
    assert.are.equal(403, ask("-X POST", "/control/kill"))
    assert.are.equal(403, ask("-X DELETE", "/control/faults"))
    assert.are.equal(0, sim:stats().faults_waiting)
  end)

  it("grants no page the right to send the header", function()
    local output = project.run(("curl -ski --max-time 60 -X OPTIONS -H 'Origin: https://evil.example' "
      .. "-H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: x-simulator-control' "
      .. "%s/control/faults"):format(sim.rest_url))
    assert.matches("^HTTP/1.1 403", output)
    assert.is_nil(output:lower():find("access-control-allow", 1, true))
  end)

  it("refuses a name that was made to point to this machine", function()
    for _, host in ipairs { "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "" } do
      local header = (" -H 'Host: %s'"):format(host)
      assert.are.equal(403, ask(FAULT .. " " .. HEADER .. header, "/control/faults"))
      assert.are.equal(403, ask(header, "/control/stats"))
    end
    assert.are.equal(0, sim:stats().faults_waiting)
  end)

  it("does as it is told with the header and a name of this machine", function()
    for _, host in ipairs { "localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080" } do
      assert.are.equal(200, ask((" -H 'Host: %s'"):format(host), "/control/oracles"))
      assert.are.equal(200, ask(("%s %s -H 'Host: %s'"):format(FAULT, HEADER, host), "/control/faults"))
    end
    assert.are.equal(4, sim:stats().faults_waiting)
    assert.are.equal(200, ask(HEADER .. " -X DELETE", "/control/faults"))
    assert.are.equal(0, sim:stats().faults_waiting)
  end)

  it("knows the host that it listens on", function()
    local other = simulator.start { feeds = 1, host = "127.0.0.3", plain = true }
    finally(function() other:stop() end)
    assert.are.equal("http://127.0.0.3:" .. other:port(), other.rest_url)
    assert.are.equal(0, other:stats().faults_waiting)
  end)
end)
