"""Who is timed: one file for each, and the list of them all."""

from __future__ import annotations

from benchmarks.peers import (
    activations,
    imports,
    jax_,
    limits,
    litert,
    ncnn_,
    numba_,
    numexpr_,
    numpy_,
    onednn,
    onnxruntime_,
    openvino_,
    ours,
    torch_,
    torch_compile,
    training,
)
from benchmarks.peers.peer import Peer, Prepared

ALL = (
    *ours.PEERS,
    *limits.PEERS,
    torch_.PEER,
    *training.PEERS,
    onednn.PEER,
    *onnxruntime_.PEERS,
    *litert.PEERS,
    openvino_.PEER,
    *jax_.PEERS,
    ncnn_.PEER,
    numexpr_.PEER,
    *numba_.PEERS,
    numpy_.PEER,
    *imports.PEERS,
    torch_compile.PEER,
    *activations.PEERS,
)
PEERS = {peer.name: peer for peer in ALL}

__all__ = ["PEERS", "Peer", "Prepared"]
