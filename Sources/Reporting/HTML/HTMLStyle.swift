/// The looks of a page (looks.md section 6): tokens once, then every rule in terms of them.
enum HTMLStyle {
    /// Name, light, dark.
    static let tokens: [(name: String, light: String, dark: String)] = [
        ("bg", "#ffffff", "#0d1015"), ("surface", "#f5f6f8", "#141920"), ("inset", "#eceef2", "#1c232c"),
        ("line", "#d8dde4", "#2b3440"), ("edge", "#7e8896", "#6f7b8a"), ("ink", "#14181f", "#e8ecf1"),
        ("ink2", "#48525f", "#b3bcc8"), ("ink3", "#5d6775", "#929dab"), ("accent", "#1a5bcf", "#7aaeff"),
        ("sel", "#dfeafc", "#1b3052"), ("fail", "#b81d2b", "#ff8086"), ("fail-bg", "#fdecee", "#3b161a"),
        ("fault", "#8a4b00", "#f2b350"), ("fault-bg", "#fff1dc", "#35260d"), ("pass", "#17693a", "#66d08c"),
        ("pass-bg", "#e6f5eb", "#11301e"), ("excused", "#6438b8", "#bda4ff"), ("excused-bg", "#f0eafc", "#271e45"),
        ("inconclusive", "#525d6b", "#a7b1bd"), ("inconclusive-bg", "#eceef2", "#1c232c"),
        ("tool", "#a0117d", "#ff86dc"), ("tool-bg", "#fce8f6", "#3a1331"), ("u1", "#1a5bcf", "#7aaeff"),
        ("u2", "#7a35b5", "#cf9bff"), ("u3", "#00707a", "#4fd0d6"), ("u4", "#a8286a", "#ff92c2"),
        ("u5", "#55620b", "#c2d05a"), ("u6", "#7a4a2b", "#dba882"),
    ]

    static var text: String {
        let light = tokens.map { "--\($0.name):\($0.light)" }.joined(separator: ";")
        let dark = tokens.map { "--\($0.name):\($0.dark)" }.joined(separator: ";")
        return """
            :root{color-scheme:light;\(light)}
            :root[data-theme=dark]{color-scheme:dark;\(dark)}
            @media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;\(dark)}}
            \(page)
            \(timeline)
            \(narrow)
            """
    }

    private static let page = """
        *{box-sizing:border-box}
        html{scroll-behavior:auto;-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:14px/22px ui-sans-serif,system-ui,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums;font-variant-ligatures:none}
        .page{max-width:1200px;margin:0 auto;padding:32px}
        code,pre,.mono{font:12px/18px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-variant-ligatures:none}
        a{color:var(--accent)}
        :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
        .head{border-bottom:1px solid var(--line);padding-bottom:24px}
        .top{display:flex;justify-content:space-between;gap:16px;align-items:flex-start}
        h1{font-size:28px;line-height:36px;font-weight:650;margin:0;overflow-wrap:anywhere}
        h2{font-size:20px;line-height:28px;font-weight:600;margin:0 0 12px}
        h3{font-size:15px;line-height:22px;font-weight:600;margin:0}
        .glyph{margin-right:8px}
        .fail{color:var(--fail)}.fault{color:var(--fault)}.pass{color:var(--pass)}.excused{color:var(--excused)}.inconclusive{color:var(--inconclusive)}.tool{color:var(--tool)}
        .caution{color:var(--fault);background:var(--fault-bg);border-radius:6px;padding:8px 12px;margin:0 0 16px}
        .runline{font-size:13px;line-height:20px;color:var(--ink2);margin:4px 0 16px;overflow-wrap:anywhere}
        .figures{display:flex;flex-wrap:wrap;margin:0;gap:12px 0}
        .figures div{display:flex;flex-direction:column;padding:0 24px;border-left:1px solid var(--line)}
        .figures div:first-child{padding-left:0;border-left:0}
        .figures dd{order:-1;margin:0;font-size:20px;line-height:28px;font-weight:650}
        .figures dt{font-size:12px;line-height:18px;color:var(--ink3)}
        .columns{display:grid;grid-template-columns:176px minmax(0,1fr);gap:40px;padding-top:24px}
        .contents{position:sticky;top:24px;align-self:start;border-left:2px solid var(--line)}
        .contents a{display:flex;justify-content:space-between;height:28px;line-height:28px;padding:0 0 0 10px;margin-left:-2px;border-left:2px solid transparent;color:var(--ink2);text-decoration:none}
        .contents a span{color:var(--ink3)}
        .contents a.here{border-color:var(--accent);color:var(--ink);font-weight:600}
        .contents a .fail{color:var(--fail)}
        section{margin:0 0 40px;scroll-margin-top:24px}
        button{font:600 13px/20px ui-sans-serif,system-ui,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--bg);border:1px solid var(--edge);border-radius:4px;padding:3px 12px;min-height:28px;cursor:pointer}
        button[aria-pressed=true]{background:var(--ink);color:var(--bg);border-color:var(--ink)}
        .chip{display:inline-block;height:20px;line-height:20px;padding:0 6px;border-radius:4px;font-size:11px;font-weight:600;white-space:nowrap;background:var(--inset);color:var(--ink2)}
        .chip.fail{background:var(--fail-bg);color:var(--fail)}.chip.fault{background:var(--fault-bg);color:var(--fault)}.chip.pass{background:var(--pass-bg);color:var(--pass)}.chip.excused{background:var(--excused-bg);color:var(--excused)}.chip.tool{background:var(--tool-bg);color:var(--tool)}
        .card{border:1px solid var(--line);border-radius:6px;margin:0 0 12px;overflow:hidden;background:var(--bg)}
        .card summary{display:flex;flex-wrap:wrap;align-items:center;gap:8px;min-height:48px;padding:8px 16px;background:var(--surface);cursor:pointer;list-style:none}
        .card summary::-webkit-details-marker{display:none}
        .card summary h3{flex:1 1 200px;overflow-wrap:anywhere}
        .body{display:grid;grid-template-columns:minmax(0,1fr) 296px;border-top:1px solid var(--line)}
        .body>div{min-width:0;padding:8px 12px}
        .tabs{display:flex;flex-wrap:wrap;border-top:1px solid var(--line);padding:0 12px}
        .tabs>input{position:absolute;opacity:0;pointer-events:none}
        .tabs>label{padding:8px 12px 6px;font-size:13px;line-height:20px;color:var(--ink2);border-bottom:2px solid transparent;cursor:pointer}
        .tabs>input:checked+label{color:var(--ink);font-weight:600;border-color:var(--accent)}
        .tabs>input:focus-visible+label{outline:2px solid var(--accent);outline-offset:-2px;border-radius:4px}
        .tab{display:none;flex:0 0 100%;order:1;border-top:1px solid var(--line);padding:8px 4px 12px;min-width:0;overflow-x:auto}
        .tabs>input:nth-of-type(1):checked~.tab:nth-of-type(1),.tabs>input:nth-of-type(2):checked~.tab:nth-of-type(2),.tabs>input:nth-of-type(3):checked~.tab:nth-of-type(3){display:block}
        .tab table:not(.bits) td{white-space:nowrap}
        .tab pre{margin:4px 0 0;white-space:pre;overflow-x:auto}
        .tab .line{display:block;padding:0 8px;border-left:2px solid transparent}
        .tab .line.hit{background:var(--fail-bg);border-color:var(--fail)}
        .tab .line em{font-style:normal;font-weight:600;color:var(--fail);padding-left:16px}
        .bits{border-collapse:collapse;width:auto;margin:12px 0 4px}
        .bits th,.bits td{border:1px solid var(--line);padding:2px 6px;text-align:center;font:11px/16px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
        .sketch{display:block;width:100%;height:auto;font:11px/16px ui-sans-serif,system-ui,"Segoe UI",Roboto,sans-serif}
        .sketch text{fill:var(--ink2)}
        .sketch .time{font:11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink3)}
        .sketch .name{text-anchor:middle;font-weight:600;font-size:12px;fill:var(--ink)}
        .sketch .name.c1,.sketch .name.c2{fill:var(--bg)}
        .sketch .lane{fill:var(--inset)}.sketch .lane.c1{fill:var(--u1)}.sketch .lane.c2{fill:var(--u2)}
        .sketch path{fill:none}
        .sketch .life{stroke:var(--edge);stroke-dasharray:3 3}.sketch .life.c1{stroke:var(--u1);stroke-dasharray:none;stroke-width:2}.sketch .life.c2{stroke:var(--u2);stroke-dasharray:none;stroke-width:2}
        .sketch .arrow{stroke:var(--ink2);stroke-width:1.5}.sketch .tip{fill:var(--ink2)}
        .sketch .arrow.bad{stroke:var(--fail)}.sketch .tip.bad,.sketch text.bad{fill:var(--fail);font-weight:600}
        .sketch .held{fill:var(--fault-bg);stroke:var(--fault)}.sketch .due{fill:var(--fail-bg);stroke:var(--fail)}
        .sketch .dots{stroke:var(--fail);stroke-width:1.5;stroke-dasharray:2 4}
        .sketch .tap{font:10px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink3)}
        .sketch .end{text-anchor:end}.sketch .middle{text-anchor:middle}.sketch .label{paint-order:stroke;stroke:var(--bg);stroke-width:3}
        .sketch .plate{fill:var(--surface);stroke:var(--line)}.sketch .plate.bad{fill:var(--fail-bg);stroke:var(--fail)}.sketch .plate.ours{fill:var(--fault-bg);stroke:none}
        .sketch .plated{font-weight:600}.sketch .plated.ours{fill:var(--fault)}
        .sketch .dot{fill:var(--ink3)}.sketch .dot.ours{fill:var(--fault)}.sketch .dot.bad{fill:var(--fail)}
        .facts{margin:0;padding:16px;border-left:1px solid var(--line)}
        .facts dt{font-size:11px;line-height:16px;font-weight:600;color:var(--ink3)}
        .facts dd{margin:0 0 12px;overflow-wrap:anywhere}
        .foot{display:flex;justify-content:space-between;align-items:center;gap:12px;min-height:40px;padding:4px 8px 4px 16px;background:var(--inset);border-top:1px solid var(--line)}
        .foot code{overflow-wrap:anywhere}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-size:13px;line-height:20px}
        th{font-size:11px;line-height:16px;font-weight:600;text-align:left;color:var(--ink3);white-space:nowrap}
        th,td{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
        td.n,th.n{text-align:right;white-space:nowrap}
        td.id{font:600 12px/18px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
        .badge{display:inline-flex;align-items:center;justify-content:center;width:18px;height:18px;border-radius:4px;font:600 11px/18px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--bg);margin-right:8px;flex:none}
        .c1{background:var(--u1)}.c2{background:var(--u2)}.c3{background:var(--u3)}.c4{background:var(--u4)}.c5{background:var(--u5)}.c6{background:var(--u6)}
        .run{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 24px;margin:0}
        .run dt{color:var(--ink3)}.run dd{margin:0;overflow-wrap:anywhere}
        .quiet{color:var(--ink3)}
        .bars rect{fill:var(--ink3)}
        .colophon{display:none}
        """

    private static let timeline = """
        .panel{border:1px solid var(--line);border-radius:6px;overflow:hidden;display:none}
        .scripted .panel{display:block}.scripted .unscripted{display:none}
        .tools{display:flex;flex-wrap:wrap;align-items:center;gap:8px;min-height:44px;padding:7px 8px;background:var(--surface);border-bottom:1px solid var(--line)}
        .tools input{flex:1 1 200px;min-width:120px;height:28px;font:12px/18px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--ink);background:var(--bg);border:1px solid var(--edge);border-radius:4px;padding:0 8px}
        .tools .total{color:var(--ink3);font-size:13px}
        .wrong{margin:0;padding:4px 8px;color:var(--fail);background:var(--fail-bg);font-size:13px}
        .wrong:empty{display:none}
        .strip{display:grid;grid-template-columns:112px minmax(0,1fr);align-items:center;border-bottom:1px solid var(--line)}
        .strip .name{padding:0 8px;font-size:11px;line-height:16px;color:var(--ink3);white-space:nowrap;overflow:hidden}
        .lanes{display:grid;grid-template-columns:112px minmax(0,1fr);position:relative}
        .lanes ul{list-style:none;margin:0;padding:0}
        .lanes li{height:26px;display:flex;align-items:center;padding:0 8px;font-size:13px;line-height:20px;overflow:hidden;white-space:nowrap}
        .lanes li span:last-child{overflow:hidden;text-overflow:ellipsis}
        .lanes li.marked{background:var(--sel)}
        canvas{display:block;width:100%;touch-action:pan-y}
        #lanes{cursor:crosshair}
        .more{width:100%;border:0;border-top:1px solid var(--line);border-radius:0;background:var(--bg);color:var(--ink3);font-weight:400;text-align:left;padding-left:120px}
        .list{height:288px;overflow-y:auto;overflow-x:hidden;position:relative;border-top:1px solid var(--line);outline-offset:-2px}
        .list .space{position:relative}
        .row{position:absolute;left:0;right:0;height:24px;display:grid;grid-template-columns:52px 76px 88px 28px minmax(0,1fr) 64px 112px;gap:8px;padding:0 8px;align-items:center;font:12px/24px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:nowrap;cursor:default}
        .row>*{overflow:hidden;text-overflow:ellipsis}
        .row .q{color:var(--ink3)}.row .n{text-align:right;color:var(--ink3)}
        .row.bad{background:var(--fail-bg)}.row.on{background:var(--sel);box-shadow:inset 2px 0 0 var(--accent)}
        .detail{border-top:1px solid var(--line);padding:12px 16px;background:var(--surface)}
        .detail[hidden]{display:none}
        .detail h3{overflow-wrap:anywhere;display:flex;gap:8px;align-items:center;flex-wrap:wrap}
        .detail pre{margin:8px 0 0;padding:8px 12px;background:var(--inset);border-radius:4px;overflow:auto;max-height:320px;white-space:pre-wrap;overflow-wrap:anywhere}
        .detail .taps{display:flex;flex-wrap:wrap;gap:4px 24px;margin:8px 0 0;padding:0;list-style:none;font:12px/18px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--ink2)}
        .taps .off{color:var(--ink3)}
        .keys{font-size:13px;line-height:20px;color:var(--ink2);border-top:1px solid var(--line);padding:8px 16px;display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:4px 16px}
        .keys[hidden]{display:none}
        kbd{font:10px/14px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;border:1px solid var(--edge);border-radius:4px;padding:1px 4px;margin-right:4px}
        .empty{padding:8px 16px;color:var(--ink2)}
        """

    private static let narrow = """
        @media screen and (max-width:719px){
        .page{padding:16px}
        h1{font-size:22px;line-height:28px}
        .figures{display:grid;grid-template-columns:repeat(3,minmax(0,1fr))}
        .figures div{padding:0;border:0}
        .columns{display:block;padding-top:0}
        .contents{position:sticky;top:0;z-index:2;display:flex;overflow-x:auto;background:var(--bg);border-left:0;border-bottom:1px solid var(--line);margin:0 -16px 24px;padding:0 8px}
        .contents a{height:44px;line-height:44px;padding:0 10px;margin:0;gap:8px;white-space:nowrap;border-left:0;border-bottom:2px solid transparent}
        section{scroll-margin-top:60px}
        .body{display:block}
        .body>div{overflow:hidden}
        .sketch{width:114%;margin-left:-14%}
        .sketch .label,.sketch .name{font-size:16px}.sketch .plated{font-size:12px}
        .sketch .time,.sketch .tap,.sketch .label.type{display:none}
        .facts{border-left:0;border-top:1px solid var(--line)}
        .foot{flex-wrap:wrap}
        button{min-height:44px}
        .strip,.lanes{grid-template-columns:40px minmax(0,1fr)}
        .lanes li span:last-child{display:none}.strip .name{font-size:10px;padding:0 4px}
        .more{padding-left:48px}
        .row{height:24px;grid-template-columns:44px 60px minmax(0,1fr) 76px}
        .row .u,.row .d,.row .b{display:none}
        }
        @media print{
        :root .page .contents,:root .page .tools,:root .page button,:root .page .panel,:root .page .unscripted{display:none}
        .columns{display:block}
        .card{break-inside:avoid}
        .card::details-content{content-visibility:visible;block-size:auto}
        .tabs>label{display:none}.tabs .tab{display:block}
        .colophon{display:block;position:fixed;bottom:0;left:0;right:0;font-size:10px;line-height:14px;color:var(--ink3)}
        .page{padding:0;max-width:none}
        }
        @media (forced-colors:active){.chip,.badge,button{border:1px solid}}
        """
}
