// The query page's editor: an island over a plain textarea, which keeps the text and sends the form.
import { autocompletion, closeBrackets, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { setDiagnostics, lintGutter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const area = document.getElementById("query");
if (area) start(area);

function start(area) {
  const form = area.form;
  const run = () => { form.requestSubmit(); return true; };
  const colours = HighlightStyle.define([
    { tag: tags.keyword, color: "var(--for)", fontWeight: "600" },
    { tag: tags.string, color: "var(--against)" },
    { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
    { tag: [tags.variableName, tags.special(tags.variableName)], color: "var(--mixed)" },
    { tag: [tags.number, tags.atom, tags.bool], color: "var(--against)" },
  ]);
  let known = null;
  const complete = async (context) => {
    const word = context.matchBefore(/[\w-]+:?[\w-]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    known ??= fetch(area.dataset.terms).then((reply) => reply.json()).catch(() => ({ terms: [], prefixes: {} }));
    const { terms, prefixes } = await known;
    const options = [
      ...terms.map((label) => ({ label, type: "property" })),
      ...Object.entries(prefixes).map(([name, iri]) => ({ label: `${name}:`, detail: iri, type: "namespace" })),
    ];
    return { from: word.from, options, validFor: /^[\w:-]*$/ };
  };
  // In a shadow root the editor's styles are constructed sheets, which a strict style-src admits.
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  area.after(host);
  const look = EditorView.theme({
    "&": { border: "1px solid var(--soft)", borderRadius: "4px", background: "var(--sheet)", color: "var(--ink)", maxHeight: "34rem", fontSize: "var(--t1)" },
    "&.cm-focused": { outline: "3px solid var(--focus)" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", minHeight: "16rem" },
    ".cm-gutters": { background: "var(--faint)", color: "var(--soft)", border: "0" },
    ".cm-activeLine, .cm-activeLineGutter": { background: "color-mix(in srgb, var(--for-bg) 40%, transparent)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--for-bg)" },
    ".cm-tooltip": { background: "var(--sheet)", color: "var(--ink)", border: "1px solid var(--soft)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--for-bg)", color: "var(--ink)" },
    ".cm-completionDetail": { color: "var(--soft)" },
  });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), history(), drawSelection(), highlightActiveLine(), bracketMatching(), closeBrackets(),
        lintGutter(), StreamLanguage.define(sparql), syntaxHighlighting(colours), look,
        autocompletion({ override: [complete] }),
        keymap.of([{ key: "Mod-Enter", run }, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({ "aria-label": "SPARQL query. Tab leaves the editor." }),
        EditorView.updateListener.of((update) => { if (update.docChanged) area.value = update.state.doc.toString(); }),
        EditorView.lineWrapping,
      ],
    }),
  });
  view.scrollDOM.tabIndex = 0; // a long query scrolls
  area.hidden = true;
  form.addEventListener("submit", () => { area.value = view.state.doc.toString(); });
  const line = Number(area.dataset.line || 0);
  if (line && line <= view.state.doc.lines) {
    const at = view.state.doc.line(line);
    const from = Math.min(at.from + Math.max(Number(area.dataset.column) - 1, 0), at.to);
    const message = document.querySelector("#wrong strong")?.textContent || "not SPARQL";
    view.dispatch(setDiagnostics(view.state, [{ from, to: Math.min(from + 1, view.state.doc.length), severity: "error", message }]));
    view.dispatch({ selection: { anchor: from } });
  }
  const stored = document.getElementById("stored");
  stored?.addEventListener("change", () => {
    if (stored.value) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: stored.value } });
  });
}
