"""Strong components and elimination orders, in their simplest form."""

from __future__ import annotations


def strong_components(vertices: list[int], successors: dict[int, list[int]]) -> list[list[int]]:
    """Strong components, each before all that lead to it (Tarjan 1972, without recursion)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    open_vertices: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    for root in vertices:
        if root in number:
            continue
        path = [(root, iter(successors[root]))]
        number[root] = low[root] = len(number)
        open_vertices.append(root)
        is_open.add(root)
        while path:
            v, rest = path[-1]
            for j in rest:
                if j not in number:
                    number[j] = low[j] = len(number)
                    open_vertices.append(j)
                    is_open.add(j)
                    path.append((j, iter(successors[j])))
                    break
                if j in is_open:
                    low[v] = min(low[v], number[j])
            else:
                path.pop()
                if path:
                    parent = path[-1][0]
                    low[parent] = min(low[parent], low[v])
                if low[v] == number[v]:
                    cut = open_vertices.index(v)
                    component = open_vertices[cut:]
                    del open_vertices[cut:]
                    is_open.difference_update(component)
                    found.append(sorted(component))
    return found


def minimum_degree(component: list[int], successors: dict[int, list[int]]) -> list[int]:
    """An elimination order: always the vertex with the fewest products of predecessors and
    successors next (Markowitz 1957), the lowest number where they are equal."""
    members = set(component)
    ahead = {v: {j for j in successors[v] if j in members and j != v} for v in component}
    behind: dict[int, set[int]] = {v: set() for v in component}
    for v, targets in ahead.items():
        for j in targets:
            behind[j].add(v)
    order = []
    while ahead:
        v = min(ahead, key=lambda i: (len(ahead[i]) * len(behind[i]), i))
        targets, sources = ahead.pop(v), behind.pop(v)
        for i in sources:
            ahead[i] |= targets - {i}
            ahead[i].discard(v)
        for j in targets:
            behind[j] |= sources - {j}
            behind[j].discard(v)
        order.append(v)
    return order
