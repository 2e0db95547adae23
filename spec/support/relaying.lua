-- SPDX-License-Identifier: MIT
-- What the specs of the relay share: the command as a process, and whether reports are all that there were.

local project = require "spec.support.project"

local relaying = {}

--- Starts `chainlink-streams relay` with these words against the simulator. -> {pid=, output(), stop([signal])}; a
--- second stop does nothing.
function relaying.start(sim, words)
  local folder, remove = project.folder()
  local command = ("%s chainlink-streams relay %s"):format(sim:exports(), words)
  local pipe = assert(io.popen(("echo $$; exec env %s >%s/out 2>&1"):format(command, folder), "r"))
  local self = { pid = pipe:read "*l" }
  function self.output() return (project.run("cat " .. folder .. "/out")) end
  function self.stop(signal)
    if not pipe then return end
    os.execute(("kill -%s %s"):format(signal or "KILL", self.pid))
    pipe:close()
    pipe = nil
    remove()
  end
  return self
end

--- Raises unless each feed's reports are all that the service made, from the first to the last, in order.
function relaying.check(client, reports)
  local by_feed = {}
  for _, report in ipairs(reports) do
    by_feed[report.feed_id] = by_feed[report.feed_id] or {}
    table.insert(by_feed[report.feed_id], report)
  end
  for id, list in pairs(by_feed) do
    local made, at = {}, nil
    for report in client:reports(id, list[1].observations_timestamp, list[#list].observations_timestamp) do
      made[#made + 1] = report.full_report
      if report.full_report == list[1].full_report then at = #made end
    end
    for i, report in ipairs(list) do
      if made[at + i - 1] ~= report.full_report then
        error(("report %d of %s, of %.0f ms, is not the next one"):format(i, id, report.observations_timestamp_ms))
      end
    end
  end
end

return relaying
