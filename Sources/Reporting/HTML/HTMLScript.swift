/// What a page does by itself. Foreign text goes into it as data, and onto it as `textContent` or as canvas text, never as
/// markup (trust.md T39).
enum HTMLScript {
    static var text: String { ["'use strict';(async()=>{", data, filter, lanes, list, keys, "})();"].joined(separator: "\n") }

    /// Unpacks the rows, and what every part needs.
    private static let data = #"""
        const $=id=>document.getElementById(id);
        const root=document.documentElement;
        const make=(tag,cls,text)=>{const e=document.createElement(tag);if(cls)e.className=cls;if(text!==undefined)e.textContent=text;return e};
        const bad=/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd]/g;
        const safe=s=>s.replace(bad,c=>c==='\n'?'\\n':c==='\r'?'\\r':c==='\t'?'\\t':c.charCodeAt(0)<256?'\\x'+c.charCodeAt(0).toString(16).padStart(2,'0'):'\\u{'+c.charCodeAt(0).toString(16)+'}');
        const count=n=>n.toLocaleString('en-US');
        const secs=ms=>(Math.trunc(ms)/1000).toFixed(3);
        document.addEventListener('click',e=>{
          const b=e.target.closest('button[data-copy]');if(!b)return;
          const done=()=>{b.textContent='Copied';setTimeout(()=>b.textContent='Copy',1500)};
          const pick=()=>{const r=document.createRange();r.selectNodeContents(b.previousElementSibling);const s=getSelection();s.removeAllRanges();s.addRange(r)};
          if(navigator.clipboard)navigator.clipboard.writeText(b.previousElementSibling.textContent).then(done,pick);else pick();
        });
        const theme=()=>{const dark=root.dataset.theme?root.dataset.theme==='dark':matchMedia('(prefers-color-scheme: dark)').matches;root.dataset.theme=dark?'light':'dark';if(window.repaint)window.repaint()};
        $('theme').addEventListener('click',theme);
        const links=[...document.querySelectorAll('.contents a')];
        const here=()=>{let best=links[0];for(const a of links){const s=document.querySelector(a.getAttribute('href'));if(s&&s.getBoundingClientRect().top<120)best=a}links.forEach(a=>a.classList.toggle('here',a===best))};
        addEventListener('scroll',here,{passive:true});here();
        const D=JSON.parse($('data').textContent);
        if(!('DecompressionStream' in window)){$('needs').textContent='This browser cannot unpack the timeline; one of 2023 or later can.';return}
        const unpack=async b64=>{const bin=atob(b64);const u=new Uint8Array(bin.length);for(let i=0;i<u.length;i++)u[i]=bin.charCodeAt(i);
          return new Response(new Blob([u]).stream().pipeThrough(new DecompressionStream('gzip'))).text()};
        const R=(await unpack(D.rows)).split('\n').filter(Boolean).map(JSON.parse);
        const L=D.lanes.map((l,i)=>({...l,index:i,rows:[],marks:0}));
        const refs=new Map();
        R.forEach((r,i)=>{r.i0=i;const l=L[r.l].rows;if(l.length)r.g=r.t-l[l.length-1].t;l.push(r);if(r.r)refs.set(r.r,r)});
        const end=Math.max(D.end,1);
        const violations=R.filter(r=>r.v),faults=R.filter(r=>r.k==='f'),errors=R.filter(r=>r.e);
        root.classList.add('scripted');
        """#

    /// The filter language of looks.md section 7, as far as a page knows what it asks for.
    private static let filter = #"""
        const words=['all','at','b','bq','bs','c','e','f','gap','h','len','op','ses','src','t','to','u','user','v'];
        const tokens=text=>{const out=[];let i=0;const edge=c=>c===undefined||/\s/.test(c);
          while(i<text.length){const c=text[i];
            if(/\s/.test(c)){i++;continue}
            if(c==='('||c===')'||c==='!'){out.push({op:c,at:i});i++;continue}
            if((c==='&'||c==='|')&&edge(text[i+1])){out.push({op:c,at:i});i++;continue}
            let s='',start=i,quoted=false;
            if(c==='"'){quoted=true;i++;while(i<text.length&&text[i]!=='"'){if(text[i]==='\\'&&text[i+1]==='"')i++;s+=text[i++]}i++}
            else{let open=0;while(i<text.length&&!/\s/.test(text[i])){if(text[i]==='(')open++;if(text[i]===')'){if(open===0)break;open--}s+=text[i++]}}
            out.push({word:s,quoted,at:start})}
          return out};
        const re=v=>{try{return new RegExp(v,'i')}catch{throw{say:'no regular expression: '+v}}};
        const size=v=>{const m=/^([<>]?)(\d+(?:\.\d+)?)(k|m|s|ms)?$/i.exec(v||'');if(!m)throw{say:'write a number such as >1k or >2s'};
          const u=(m[3]||'').toLowerCase();const n=m[2]*(u==='k'?1e3:u==='m'?1e6:u==='s'?1e3:1);return x=>m[1]==='<'?x<n:m[1]==='>'?x>n:x===n};
        const ops={text:1,binary:2,ping:9,pong:10,close:8,cont:0};
        const body=r=>r.p||'';
        const near=(w,list)=>list.find(x=>x.startsWith(w.slice(0,2)))||list.find(x=>x[0]===w[0]);
        const term=(name,v)=>{switch(name){
          case'all':return()=>true;
          case'e':return r=>!!r.e;
          case'b':{const x=re(v);return r=>x.test(body(r))}
          case'bq':{const x=re(v);return r=>r.d===1&&x.test(body(r))}
          case'bs':{const x=re(v);return r=>r.d===0&&x.test(body(r))}
          case't':{const x=re(v);return r=>x.test(r.y)}
          case'u':{const x=re(v);return r=>r.k==='h'&&r.d===1&&x.test(body(r).split('\n')[0])}
          case'h':{const x=re(v);return r=>r.k==='h'&&x.test(body(r))}
          case'user':{const x=re('^(?:'+v+')$');return r=>x.test(L[r.l].name)}
          case'ses':return r=>r.s===v;
          case'op':if(!(v in ops))throw{say:'no opcode '+v+'; write '+(near(v,Object.keys(ops))||'text')};return r=>r.w&&(r.w[0]&15)===ops[v];
          case'to':return r=>r.d===(v==='server'?1:0);
          case'c':{const x=new RegExp('^'+v.replace(/[^\dx]/gi,'').replace(/x/gi,'\\d')+'$');return r=>r.o!==undefined&&x.test(String(r.o))}
          case'f':return v?r=>(r.f||[]).includes(v)||(r.k==='f'&&r.y===v):r=>!!r.f;
          case'v':return v&&v!=='fail'?r=>(r.v||[]).some(m=>m.ids.includes(v)):r=>!!r.v;
          case'len':{const x=size(v);return r=>x(r.b||0)}
          case'gap':{const x=size(v);return r=>r.g!==undefined&&x(r.g)}
          case'at':{const m=/^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$/.exec(v||'');if(!m)throw{say:'write ~at 14.2..16'};return r=>r.t>=m[1]*1e3&&r.t<=m[2]*1e3}
          case'src':throw{say:'a page holds no peer addresses; write ~user'};
          default:throw{say:'no term ~'+name+'; write ~'+(near(name,words)||'user')}}};
        const bare=['all','e'],maybe=['f','v'];
        const parse=text=>{const T=tokens(text);let i=0;
          const atom=()=>{const t=T[i++];if(!t)throw{say:'a term is missing'};
            if(t.op==='('){const x=or();if(!T[i]||T[i].op!==')')throw{say:') is missing'};i++;return x}
            if(t.op)throw{say:'a term is missing before '+t.op};
            if(!t.quoted&&t.word[0]==='~'){const n=t.word.slice(1);if(bare.includes(n))return term(n);
              const v=T[i]&&!T[i].op&&(T[i].quoted||T[i].word[0]!=='~')?T[i]:null;
              if(!v&&!maybe.includes(n)&&words.includes(n))throw{say:'~'+n+' needs a value'};
              if(v&&!(maybe.includes(n)&&v.quoted))i++;return term(n,v&&v.word)}
            const x=re(t.word);return r=>x.test(r.y)||x.test(body(r))};
          const not=()=>{if(T[i]&&T[i].op==='!'){i++;const x=not();return r=>!x(r)}return atom()};
          const and=()=>{let x=not();while(T[i]&&T[i].op!=='|'&&T[i].op!==')'){if(T[i].op==='&')i++;const a=x,b=not();x=r=>a(r)&&b(r)}return x};
          const or=()=>{let x=and();while(T[i]&&T[i].op==='|'){i++;const a=x,b=and();x=r=>a(r)||b(r)}return x};
          if(!T.length)return null;const x=or();if(i<T.length)throw{say:'a term is missing before '+(T[i].op||T[i].word)};return x};
        let wanted=null,only={v:false,f:false,e:false};
        let shown=R;
        const refilter=()=>{const any=only.v||only.f||only.e;
          shown=R.filter(r=>(!any||(only.v&&r.v)||(only.f&&r.f)||(only.e&&r.e))&&(!wanted||wanted(r)));
          shown.forEach((r,i)=>r.i1=i);$('total').textContent=shown.length===R.length?$('total').dataset.all:count(shown.length)+' of '+count(R.length)+' match';
          lit=new Set(shown.length===R.length?[]:shown);};
        let lit=new Set();
        """#

    /// Minimap, ruler and lanes: only the window is drawn.
    private static let lanes = #"""
        const css=()=>{const s=getComputedStyle(root);return n=>s.getPropertyValue('--'+n).trim()};
        let from=0,to=end,unfolded=false,selected=null;
        const narrow=()=>innerWidth<720;
        const causes=new Set();violations.forEach(r=>r.v.forEach(m=>m.c&&causes.add(m.c)));
        if(violations.length&&end>4e3){const t=violations[0].t;from=Math.max(0,Math.min(end-3e3,t-2e3));to=from+3e3}
        const low=(a,t)=>{let x=0,y=a.length;while(x<y){const m=(x+y)>>1;if(a[m].t<t)x=m+1;else y=m}return x};
        const shownLanes=()=>{const s=L.map(l=>{let v=0,a=low(l.rows,from);for(let i=a;i<l.rows.length&&l.rows[i].t<=to;i++){const r=l.rows[i];if(r.v||causes.has(r.r)){v=2;break}if(r.k==='f')v=1}return{l,v}});
          s.sort((a,b)=>b.v-a.v||a.l.index-b.l.index);const most=narrow()?5:8;
          return{list:unfolded?s:s.slice(0,most),rest:unfolded?0:Math.max(0,s.length-most),quiet:s.slice(most).every(x=>!x.v)}};
        const fit=(c,h)=>{const w=c.clientWidth||c.parentElement.clientWidth,d=devicePixelRatio||1;if(c.width!==Math.round(w*d)||c.height!==Math.round(h*d)){c.width=Math.round(w*d);c.height=Math.round(h*d);c.style.height=h+'px'}
          const g=c.getContext('2d');g.setTransform(d,0,0,d,0,0);g.clearRect(0,0,w,h);return[g,w]};
        const mono='11px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace';
        const paintMini=q=>{const[g,w]=fit($('mini'),40);const n=Math.max(1,Math.floor(w/4)),bins=new Uint32Array(n);let top=1;
          for(const r of R){const b=Math.min(n-1,Math.floor(r.t/end*n));if(++bins[b]>top)top=bins[b]}
          g.fillStyle=q('accent');g.globalAlpha=.18;g.fillRect(from/end*w,0,Math.max(2,(to-from)/end*w),40);g.globalAlpha=1;
          g.fillStyle=q('ink3');for(let i=0;i<n;i++)if(bins[i])g.fillRect(i*4,36-Math.max(1,bins[i]/top*28),3,Math.max(1,bins[i]/top*28));
          g.fillStyle=q('fault');for(const r of faults)g.fillRect(r.t/end*w-1.5,37,3,3);
          g.fillStyle=q('fail');for(const r of violations){g.fillRect(r.t/end*w-1,2,2,36);g.fillRect(r.t/end*w-3,0,6,4)}};
        const steps=[1,2,5,10,20,50,100,200,300,500,1e3,2e3,5e3,1e4,3e4,6e4,3e5,6e5,36e5];
        const paintRuler=(q,w0)=>{const[g,w]=fit($('ruler'),18);g.font=mono;g.fillStyle=q('ink3');g.textBaseline='middle';
          const step=steps.find(s=>s/(to-from)*w>=88)||steps[steps.length-1],out=[];
          for(let t=Math.ceil(from/step)*step;t<=to;t+=step){const x=(t-from)/(to-from)*w;const text=(t/1e3).toFixed(step<10?3:step<100?2:step<1e3?1:0)+' s';out.push(x);
            if(x+4+g.measureText(text).width<=w)g.fillText(text,x+4,9);g.fillRect(x,12,1,6)}return out};
        const diamond=(g,x,y,s)=>{g.beginPath();g.moveTo(x,y-s);g.lineTo(x+s,y);g.lineTo(x,y+s);g.lineTo(x-s,y);g.closePath();g.fill()};
        const plate=(g,q,x,y,w,text,fg,bg)=>{g.font='600 11px ui-sans-serif,system-ui,"Segoe UI",Roboto,sans-serif';const tw=g.measureText(text).width+12;let px=x+10;if(w-x<140&&x-10-tw>=0)px=x-10-tw;
          g.fillStyle=bg;g.fillRect(px,y-9,tw,18);g.strokeStyle=fg;g.lineWidth=1;g.strokeRect(px+.5,y-8.5,tw-1,17);g.fillStyle=fg;g.textBaseline='middle';g.fillText(text,px+6,y)};
        let laneList=[];
        const paintLanes=(q,grid)=>{const s=shownLanes();laneList=s.list.map(x=>x.l);const ul=$('names');
          const key=laneList.map(l=>l.index).join()+'/'+from+'/'+to;if(ul.dataset.key!==key){ul.dataset.key=key;ul.replaceChildren(...s.list.map(x=>{const li=make('li',x.v>1?'marked':'');li.title=x.l.name;
            const b=make('span','badge c'+(x.l.index%6+1),[...x.l.name][0]||'?');li.append(b,make('span','',x.l.name));return li}))}
          const h=laneList.length*26,[g,w]=fit($('lanes'),h);const X=t=>(t-from)/(to-from)*w;
          s.list.forEach((x,i)=>{if(x.v>1){g.fillStyle=q('sel');g.fillRect(0,i*26,w,26)}});
          g.fillStyle=q('line');for(const x of grid)g.fillRect(Math.round(x),0,1,h);
          const row=new Map();laneList.forEach((l,i)=>row.set(l.index,i));const plates=[];
          laneList.forEach((l,i)=>{const y=i*26+13,c=q('u'+(l.index%6+1));g.fillStyle=q('line');g.fillRect(0,y,w,1);
            g.fillStyle=c;g.globalAlpha=.14;for(const[,b,e]of l.sessions){const x0=Math.max(0,X(b)),x1=Math.min(w,X(e===null?end:e));if(x1>0&&x0<w)g.fillRect(x0,y-9,Math.max(2,x1-x0),18)}g.globalAlpha=1;
            const a=Math.max(0,low(l.rows,from)),z=low(l.rows,to+.001);const dense=z-a>w/2;
            if(dense){const n=Math.ceil(w/2),up=new Uint16Array(n),dn=new Uint16Array(n);let top=1;for(let k=a;k<z;k++){const r=l.rows[k];if(r.k==='f')continue;const b=Math.min(n-1,Math.max(0,Math.floor(X(r.t)/2)));const v=r.d===0?++dn[b]:++up[b];if(v>top)top=v}
              g.fillStyle=c;for(let b=0;b<n;b++){if(up[b]){const hh=2+6*up[b]/top;g.fillRect(b*2,y-hh,2,hh)}if(dn[b]){const hh=2+6*dn[b]/top;g.fillRect(b*2,y+1,2,hh)}}}
            else for(let k=a;k<z;k++){const r=l.rows[k];if(r.k==='f'||r.d===undefined)continue;g.globalAlpha=lit.size&&!lit.has(r)?.25:1;g.fillStyle=r.e?q('fail'):c;const x=X(r.t);if(r.d===1)g.fillRect(x-1,y-8,2,8);else g.fillRect(x-.75,y+1,1.5,8)}
            g.globalAlpha=1;
            for(let k=a;k<z;k++){const r=l.rows[k],x=X(r.t);
              if(r.i){const p=r.d===1?[r.i[0],r.i[1]]:[r.i[2],r.i[3]];if(p[0]!==null&&p[1]!==null&&p[1]-p[0]>1&&(p[1]-p[0])/(to-from)*w>6){const x0=X(p[0]),x1=X(p[1]);g.strokeStyle=q('fault');g.lineWidth=1;g.save();g.beginPath();g.rect(x0,y-6,x1-x0,12);g.clip();g.beginPath();for(let t=x0-12;t<x1;t+=5){g.moveTo(t,y+6);g.lineTo(t+12,y-6)}g.stroke();g.restore();g.strokeRect(x0,y-6,x1-x0,12);if(x1-x0>70)plates.push([x0+(x1-x0)/2-40,y,'held '+Math.round(p[1]-p[0])+' ms','fault'])}}
              if(r.k==='f'){g.fillStyle=q('fault');diamond(g,x,y,5)}
              if(r.v){for(const m of r.v){const cause=m.c&&byCause(m.c),cy=cause&&row.has(cause.l)?row.get(cause.l)*26+13:null;g.strokeStyle=g.fillStyle=q('fail');g.lineWidth=2;
                if(cause&&cy!==null&&cause.t>=from-(to-from)){const cx=X(cause.t);g.beginPath();g.arc(cx,cy,4,0,7);g.fill();g.beginPath();g.moveTo(cx,cy);g.bezierCurveTo((cx+x)/2,cy,(cx+x)/2,y,x,y);g.stroke()}
                g.fillStyle=q('bg');g.beginPath();g.arc(x,y,4.5,0,7);g.fill();g.stroke();plates.push([x,y,'✗ '+m.ids.join(', '),'fail'])}}
              if(r===selected){g.strokeStyle=q('accent');g.lineWidth=2;g.strokeRect(x-5,y-11,10,22)}}});
          for(const[x,y,text,kind]of plates)plate(g,q,x,y,w,text,q(kind),q(kind+'-bg'));
          $('more').hidden=!s.rest;$('more').textContent=count(s.rest)+(s.rest===1?' more user':' more users')+(s.quiet?(s.rest===1?' has':' have')+' no violation and no fault in this window':'');
          $('lanes').setAttribute('aria-label',laneList.length+' users, '+violations.length+(violations.length===1?' violation':' violations'));};
        const byCause=ref=>refs.get(ref)||null;
        let pending=false;
        const paint=()=>{pending=false;const q=css();paintMini(q);const grid=paintRuler(q);paintLanes(q,grid)};
        const repaint=window.repaint=()=>{if(!pending){pending=true;requestAnimationFrame(paint)}};
        const view=(a,b)=>{const span=Math.min(end,Math.max(b-a,Math.min(end,5)));a=Math.max(0,Math.min(a,end-span));from=a;to=a+span;repaint()};
        const zoom=(f,mid=(from+to)/2)=>{view(mid-(mid-from)*f,mid+(to-mid)*f)};
        const pan=f=>view(from+(to-from)*f,to+(to-from)*f);
        const show=r=>{if(r.t<from||r.t>to){const s=to-from;view(r.t-s/2,r.t+s/2)}};
        const mini=$('mini');let drag=null;
        mini.addEventListener('pointerdown',e=>{mini.setPointerCapture(e.pointerId);drag='mini';move(e)});
        const move=e=>{if(drag==='mini'){const b=mini.getBoundingClientRect(),t=(e.clientX-b.left)/b.width*end,s=to-from;view(t-s/2,t+s/2)}};
        mini.addEventListener('pointermove',move);mini.addEventListener('pointerup',()=>drag=null);
        const lanesC=$('lanes');let grab=null;
        lanesC.addEventListener('pointerdown',e=>{grab={x:e.clientX,from,to,moved:false};lanesC.setPointerCapture(e.pointerId)});
        lanesC.addEventListener('pointermove',e=>{if(!grab)return;const dx=e.clientX-grab.x;if(Math.abs(dx)>3)grab.moved=true;if(grab.moved){const s=(grab.to-grab.from)/lanesC.clientWidth;view(grab.from-dx*s,grab.to-dx*s)}});
        lanesC.addEventListener('pointerup',e=>{const g=grab;grab=null;if(!g||g.moved)return;const b=lanesC.getBoundingClientRect(),l=laneList[Math.floor((e.clientY-b.top)/26)];if(!l)return;
          const t=from+(e.clientX-b.left)/b.width*(to-from),k=low(l.rows,t);let best=null;for(const r of[l.rows[k-2],l.rows[k-1],l.rows[k],l.rows[k+1]])if(r&&(!best||Math.abs(r.t-t)<Math.abs(best.t-t)))best=r;
          if(best)select(best,true)});
        lanesC.addEventListener('wheel',e=>{if(!e.ctrlKey&&!e.shiftKey&&Math.abs(e.deltaX)<=Math.abs(e.deltaY))return;e.preventDefault();const b=lanesC.getBoundingClientRect();
          if(e.ctrlKey)zoom(e.deltaY>0?1.2:1/1.2,from+(e.clientX-b.left)/b.width*(to-from));else pan((e.deltaX||e.deltaY)/800)},{passive:false});
        $('more').addEventListener('click',()=>{unfolded=true;repaint()});
        addEventListener('resize',repaint);matchMedia('(prefers-color-scheme: dark)').addEventListener('change',repaint);
        """#

    /// The list beneath, and one message in full.
    private static let list = #"""
        const box=$('list'),space=$('space');
        const preview=r=>r.k==='h'?(r.p||'').split(/\r?\n/)[0]:(r.p||(r.x?'('+count(r.b)+' bytes)':'')).slice(0,200);
        const arrow=r=>r.d===undefined?'':r.d===1?'c▸s':'s▸c';
        const notes=r=>(r.v||[]).map(v=>'✗ '+v.ids.join(' ')).concat((r.f||[]).map(f=>'◆ '+f)).join(' ');
        const rowOf=r=>{const e=make('div','row'+(r.v?' bad':'')+(r===selected?' on':''));e.style.top=r.i1*24+'px';e.setAttribute('role','row');e.setAttribute('aria-rowindex',r.i1+1);
          const cell=(c,t)=>{const s=make('span',c,t);s.setAttribute('role','gridcell');e.append(s);return s};
          cell('q','#'+r.n);cell('q',secs(r.t));cell('u',L[r.l].name);cell('q d',arrow(r));
          const m=cell('','');m.append(make('b',r.e?'fail':'',r.k==='f'?'◆ ':''),make('span',r.e?'fail':'',safe(r.y)+' '),make('span','q',safe(preview(r))));
          cell('n b',r.b===undefined?'':count(r.b));const n=cell('',notes(r));if(r.v)n.classList.add('fail');else if(r.f)n.classList.add('fault');
          e.addEventListener('click',()=>select(r,true));return e};
        const draw=()=>{const a=Math.max(0,Math.floor(box.scrollTop/24)-20),z=Math.min(shown.length,a+Math.min(120,Math.ceil(box.clientHeight/24)+40));
          space.style.height=shown.length*24+'px';space.replaceChildren(...shown.slice(a,z).map(rowOf));box.setAttribute('aria-rowcount',shown.length);
          $('none').hidden=shown.length>0};
        let drawing=false;const redraw=()=>{if(!drawing){drawing=true;requestAnimationFrame(()=>{drawing=false;draw()})}};
        box.addEventListener('scroll',redraw,{passive:true});
        const pretty=text=>{const t=text.trim();if(!/^[\[{]/.test(t)||t.length>65536)return null;try{JSON.parse(t)}catch{return null}
          let out='',depth=0,quoted=false;const pad=()=>'\n'+'  '.repeat(depth);
          for(let i=0;i<t.length;i++){const c=t[i];if(quoted){out+=c;if(c==='\\')out+=t[++i];else if(c==='"')quoted=false;continue}
            if(/\s/.test(c))continue;if(c==='"'){quoted=true;out+=c}else if(c==='{'||c==='['){let j=i+1;while(/\s/.test(t[j]))j++;if(t[j]==='}'||t[j]===']'){out+=c+t[j];i=j}else{depth++;out+=c+pad()}}
            else if(c==='}'||c===']'){depth--;out+=pad()+c}else if(c===',')out+=c+pad();else if(c===':')out+=': ';else out+=c}
          return out};
        const hex=b64=>{const b=atob(b64);let out='';for(let i=0;i<b.length;i+=16){const p=[...b.slice(i,i+16)].map(c=>c.charCodeAt(0));
          out+=i.toString(16).padStart(8,'0')+'  '+p.map(x=>x.toString(16).padStart(2,'0')).join(' ').padEnd(49)+p.map(x=>x>31&&x<127?String.fromCharCode(x):'.').join('')+'\n'}return out};
        const detail=$('detail');
        const open=r=>{detail.hidden=false;const head=make('h3');for(const v of r.v||[])for(const id of v.ids)head.append(make('span','chip fail','✗ '+id));for(const f of r.f||[])head.append(make('span','chip fault','◆ '+f));
          const who=L[r.l].name,way=r.d===undefined?'':r.d===1?who+' ▸ server':'server ▸ '+who;head.append(make('span','',safe(r.y)+' #'+r.n+(way?', '+way:'')+' on '+r.s));
          const parts=[head];for(const v of r.v||[])parts.push(make('p','fail',safe(v.s)));
          if(r.i){const ul=make('ul','taps');['Cin','Sout','Sin','Cout'].forEach((t,k)=>ul.append(make('li',r.i[k]===null?'off':'',(r.i[k]===null?'○ ':'● ')+t+' '+(r.i[k]===null?'–':secs(r.i[k])))));
            if(r.w){const b=r.w[0];ul.append(make('li','',`FIN ${b>>7} RSV ${b>>6&1}${b>>5&1}${b>>4&1} opcode ${b&15}, length ${count(r.w[2])} in ${r.w[3]} bits, ${r.w[1]===null?'no mask':'mask '+r.w[1].toString(16).padStart(8,'0')}`))}parts.push(ul)}
          const text=r.x?hex(r.x):r.k==='h'?(r.p||'').split('\r\n').map(safe).join('\n'):(pretty(r.p||'')||r.p||'').split('\n').map(safe).join('\n');
          const pre=make('pre','',text||'(empty)');pre.tabIndex=0;parts.push(pre);if(r.c)parts.push(make('p','quiet','…(+'+count(r.c)+' B), in the recording'));
          detail.replaceChildren(...parts)};
        const select=(r,opens)=>{selected=r;if(r.i1===undefined||shown[r.i1]!==r){wanted=null;only={v:false,f:false,e:false};$('filter').value='';buttons();refilter()}
          const y=r.i1*24;if(y<box.scrollTop||y+24>box.scrollTop+box.clientHeight)box.scrollTop=Math.max(0,y-box.clientHeight/2);
          show(r);redraw();repaint();if(opens||!detail.hidden)open(r)};
        const close=()=>{detail.hidden=true;$('keylist').hidden=true};
        const toggles=[['tv','v'],['tf','f'],['te','e']];
        const buttons=()=>toggles.forEach(([id,k])=>$(id).setAttribute('aria-pressed',only[k]));
        toggles.forEach(([id,k])=>$(id).addEventListener('click',()=>{only[k]=!only[k];buttons();refilter();box.scrollTop=0;draw();repaint()}));
        $('filter').addEventListener('input',()=>{try{wanted=parse($('filter').value);$('wrong').textContent='';$('filter').removeAttribute('aria-invalid')}
          catch(e){$('wrong').textContent=e.say||String(e);$('filter').setAttribute('aria-invalid','true');return}refilter();box.scrollTop=0;draw();repaint()});
        $('clear').addEventListener('click',()=>{$('filter').value='';wanted=null;only={v:false,f:false,e:false};$('wrong').textContent='';buttons();refilter();draw();repaint()});
        refilter();draw();paint();
        """#

    private static let keys = #"""
        const step=(list,by)=>{if(!list.length)return;const at=selected?selected.i0:-1;let r=by>0?list.find(x=>x.i0>at):[...list].reverse().find(x=>x.i0<at);if(!r)r=by>0?list[list.length-1]:list[0];select(r,false)};
        addEventListener('keydown',e=>{if(e.target.closest('input,textarea,select')){if(e.key==='Escape')e.target.blur();return}if(e.ctrlKey||e.metaKey||e.altKey)return;
          const on=e.target.closest('button,a,summary');
          const act={j:()=>step(shown,1),k:()=>step(shown,-1),n:()=>step(violations,1),p:()=>step(violations,-1),f:()=>step(faults,1),'/':()=>$('filter').focus(),w:()=>zoom(1/1.5),s:()=>zoom(1.5),a:()=>pan(-.25),d:()=>pan(.25),'+':()=>zoom(1/1.5),'-':()=>zoom(1.5),ArrowLeft:()=>pan(-.25),ArrowRight:()=>pan(.25),'0':()=>view(0,end),Escape:close,t:theme,'?':()=>$('keylist').hidden=!$('keylist').hidden}[e.key];
          if(e.key==='Enter'&&!on&&selected){open(selected);e.preventDefault()}
          if(act){act();e.preventDefault()}});
        """#
}
