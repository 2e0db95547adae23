-- SPDX-License-Identifier: MIT
-- Bar charts as SVG, one below the other; each on a scale of its own, by the logarithm, as peers differ by hundreds.

local chart = {}

local WIDTH, LABEL, BAR, GAP, TITLE, MARGIN = 860, 190, 14, 4, 26, 12

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- From a third of the smallest to the largest.
local function scale(bars)
  local lowest, highest = math.huge, 0
  for _, bar in ipairs(bars) do lowest, highest = math.min(lowest, bar.value), math.max(highest, bar.value) end
  local from, room = math.log(lowest / 3), WIDTH - LABEL - 110
  local per_unit = room / (math.log(highest) - from)
  return function(value) return (math.log(value) - from) * per_unit end
end

local function draw(lines, top, one)
  local length = scale(one.bars)
  lines[#lines + 1] = ('<text x="%d" y="%d" class="title">%s</text>'):format(MARGIN, top + 16, escape(one.title))
  for i, bar in ipairs(one.bars) do
    local y = top + TITLE + (i - 1) * (BAR + GAP)
    lines[#lines + 1] = ('<text x="%d" y="%d" class="name">%s</text>'):format(LABEL - 6, y + 11, escape(bar.name))
    lines[#lines + 1] = ('<rect x="%d" y="%d" width="%.1f" height="%d" class="%s"/>'):format(LABEL, y,
      length(bar.value), BAR, bar.ours and "ours" or "theirs")
    lines[#lines + 1] = ('<text x="%.1f" y="%d">%s</text>'):format(LABEL + length(bar.value) + 6, y + 11,
      escape(bar.text))
  end
  return top + TITLE + #one.bars * (BAR + GAP) + MARGIN
end

--- Writes the charts: { { title =, bars = { { name =, value =, text =, ours = }, … } }, … }.
function chart.write(path, charts)
  local lines, top = {}, MARGIN
  for _, one in ipairs(charts) do top = draw(lines, top, one) end
  local file = assert(io.open(path, "w"))
  file:write(([[<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<style>svg { background: #fff } text { fill: #222 } .title { font-weight: bold } .name { text-anchor: end }
.ours { fill: #2a5ada } .theirs { fill: #9aa4b5 }</style>
]]):format(WIDTH, top), table.concat(lines, "\n"), "\n</svg>\n")
  file:close()
end

return chart
