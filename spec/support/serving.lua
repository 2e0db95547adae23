-- SPDX-License-Identifier: MIT
-- `chainlink-streams serve` beside a simulator: of two feeds with permission, one without, and a name of none.

local listener = require "spec.support.listener"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local serving = {}
local Serving = {}
Serving.__index = Serving

--- The service alone. -> {sim=, client=, feeds= the three of the service, folder=, signers= a file}
function serving.service()
  local self = setmetatable({}, Serving)
  self.folder, self.remove = project.folder()
  local all = simulator.start { feeds = 3 }
  local feeds = all:client():get_feeds()
  all:stop()
  self.signers = self.folder .. "/signers"
  self.sim = simulator.start { feeds = 3, rate_limit = 0, signers_file = self.signers,
    key = ("simulator-key:simulator-secret:%s,%s"):format(feeds[1].id, feeds[2].id) }
  self.client, self.feeds = self.sim:client(), feeds
  return self
end

--- With `command`, the listener.
function serving.start()
  local self = serving.service()
  local feeds = self.feeds
  local arguments = ("serve %s %s %s NOPE/USD --listen 127.0.0.1:0 --signers %s"):format(feeds[1].name, feeds[2].name,
    feeds[3].id, self.signers)
  self.command = listener.start(self.sim:exports(), arguments, self.folder .. "/out")
  return self
end

--- Runs the demo of a page, by "nginx" or "web", until it has shown it. -> what was seen of it
function serving.demo(folder, by)
  project.write(folder .. "/demo.sh", [[
    examples/demo.sh $2 >$1/demo.out 2>&1 &
    until page=$(grep -o 'http://127[^ ]*' $1/demo.out); do kill -0 $! || exit 1; sleep 0.05; done
    curl -sS --max-time 60 $page | grep '<title>'
    kill -TERM $!
    wait $!
    echo "ended with $?"
    curl -s --max-time 60 $page || echo "nobody answers"]])
  return project.run(("timeout 120 sh %s/demo.sh %s %s"):format(folder, folder, by))
end

function Serving:stop()
  if self.command then self.command:stop() end
  self.client:close()
  self.sim:stop()
  self.remove()
end

return serving
