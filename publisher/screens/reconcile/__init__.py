"""`/reconcile`: the Reconciliation Service API 0.2, over the search index.

`service` the manifest, and what a request asks for; `candidates` names → things; `suggest` names as
they are typed, and previews; `extension` the values of properties of things; `identity` how things,
types and properties are called in all of these.

Section names are those of https://www.w3.org/community/reports/reconciliation/CG-FINAL-specs-0.2-20230410/
"""

from publisher.screens.reconcile.extension import proposals
from publisher.screens.reconcile.service import reconcile
from publisher.screens.reconcile.suggest import flyout, preview, suggest, view

ROUTES = (
    ("/reconcile", reconcile),
    ("/reconcile/suggest/<what>", suggest),
    ("/reconcile/flyout/<what>", flyout),
    ("/reconcile/preview", preview),
    ("/reconcile/view", view),
    ("/reconcile/properties", proposals),
)

__all__ = ["ROUTES"]
