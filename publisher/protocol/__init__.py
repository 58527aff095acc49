"""HTTP without a framework: values, problems, delivery, and the SPARQL 1.1 Protocol.

`values` Request, Reply, Site; `problems` error → reply; `delivery` what every reply gets on its way
out (validators, compression, headers); `sparql` request → question → reply; `describe_service` what
the endpoint says of itself; `resources`, `files` everything else that is data.
"""

from publisher.protocol.values import Manifest, Reply, Request, Site

__all__ = ["Manifest", "Reply", "Request", "Site"]
