-- SPDX-License-Identifier: MIT
-- What relay says in a build that has nothing for the server it is told.

local project = require "spec.support.project"

describe("relay", function()
  local folder, remove
  setup(function() folder, remove = project.folder() end)
  teardown(function() remove() end)

  for option, missing in pairs {
    ["--redis redis://127.0.0.1"] = { "chainlink.redis", "libhiredis-dev" },
    ["--kafka kafka://127.0.0.1/t"] = { "chainlink.kafka", "librdkafka-dev" },
  } do
    it("tells where " .. missing[1] .. " comes from, where it is missing", function()
      local script = folder .. "/script.lua"
      project.write(script, ('package.preload["%s"] = function() error "it is missing" end\n'):format(missing[1])
        .. 'os.exit(require "chainlink.cli".main(arg))\n')
      local command = ("CHAINLINK_STREAMS_API_KEY=k CHAINLINK_STREAMS_API_SECRET=s %s %s relay %s 0x0003%s 2>&1")
      local output, status = project.run(command:format(project.lua, script, option, ("ab"):rep(30)))
      assert.are.equal("chainlink-streams: this comes with the rock chainlink-streams-relay, and with a build by make "
        .. "where " .. missing[2] .. " is: it is missing\n", output)
      assert.are.equal(1, status)
    end)
  end
end)
