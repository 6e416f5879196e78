namespace CredBroker.Cedar;

/// <summary>
/// Finds the policies whose scope may match a request, so that a large set costs only what applies. A tree: each branch tells policies apart by one part
/// of the scope, and which part is chosen for each branch by what it tells apart best. It is a filter only; whether a scope matches is for the policy to say.
/// </summary>
internal abstract class PolicyIndex
{
    // Fewer policies than this are tried one by one.
    private const int LeafSize = 6;

    private PolicyIndex() { }

    public static PolicyIndex Build(IReadOnlyList<Policy> policies) =>
        Build(policies, [.. Enumerable.Range(0, policies.Count)], [ScopePart.Principal, ScopePart.Resource, ScopePart.Action]);

    /// <summary>Adds the positions of all policies that may match, in any order, perhaps repeatedly.</summary>
    public abstract void Collect(in ScopeQuery query, ref CandidateList found);

    private static PolicyIndex Build(IReadOnlyList<Policy> policies, List<int> positions, ScopePart[] parts)
    {
        if (positions.Count <= LeafSize || parts.Length == 0)
            return new Leaf([.. positions]);
        var (part, groups) = parts.Select(p => (Part: p, Groups: GroupsOf(policies, positions, p))).MinBy(g => ExpectedMatches(g.Groups));
        if (groups.Keys.All(k => k.IsAny))
            return new Leaf([.. positions]);
        ScopePart[] others = [.. parts.Where(p => p != part)];
        return new Branch(part, groups.Select(g => KeyValuePair.Create(g.Key, Build(policies, g.Value, others))));
    }

    private static Dictionary<ScopeKey, List<int>> GroupsOf(IReadOnlyList<Policy> policies, List<int> positions, ScopePart part)
    {
        var groups = new Dictionary<ScopeKey, List<int>>();
        foreach (var position in positions)
        {
            foreach (var key in ScopeKey.Of(policies[position], part))
            {
                if (!groups.TryGetValue(key, out var group))
                    groups.Add(key, group = []);
                group.Add(position);
            }
        }
        return groups;
    }

    // If requests are spread like policies: what matches any request, and the size of the group that a policy is in on average.
    private static double ExpectedMatches(Dictionary<ScopeKey, List<int>> groups)
    {
        double any = 0, squares = 0, total = 0;
        foreach (var (key, group) in groups)
        {
            if (key.IsAny)
                any = group.Count;
            else
                (squares, total) = (squares + (double)group.Count * group.Count, total + group.Count);
        }
        return any + (total > 0 ? squares / total : 0);
    }

    private sealed class Leaf(int[] positions) : PolicyIndex
    {
        public override void Collect(in ScopeQuery query, ref CandidateList found) => found.Add(positions);
    }

    private sealed class Branch : PolicyIndex
    {
        private readonly ScopePart _part;
        private readonly PolicyIndex? _any;
        private readonly Dictionary<EntityUid, PolicyIndex>? _equal;
        private readonly Dictionary<EntityUid, PolicyIndex>? _within;
        private readonly Dictionary<string, PolicyIndex>? _types;

        public Branch(ScopePart part, IEnumerable<KeyValuePair<ScopeKey, PolicyIndex>> groups)
        {
            _part = part;
            foreach (var (key, index) in groups)
            {
                if (key.Equal is { } entity)
                    (_equal ??= []).Add(entity, index);
                else if (key.Within is { } ancestor)
                    (_within ??= []).Add(ancestor, index);
                else if (key.Type is { } type)
                    (_types ??= new(StringComparer.Ordinal)).Add(type, index);
                else
                    _any = index;
            }
            _equal?.TrimExcess();
            _within?.TrimExcess();
            _types?.TrimExcess();
        }

        public override void Collect(in ScopeQuery query, ref CandidateList found)
        {
            var uid = _part switch
            {
                ScopePart.Principal => query.Principal,
                ScopePart.Action => query.Action,
                _ => query.Resource,
            };
            _any?.Collect(query, ref found);
            if (uid is null)
            {
                CollectAll(query, ref found);
                return;
            }
            if (_equal is not null && _equal.TryGetValue(uid, out var equal))
                equal.Collect(query, ref found);
            if (_types is not null && _types.TryGetValue(uid.Type, out var typed))
                typed.Collect(query, ref found);
            if (_within is not null)
                CollectWithin(_within, uid, query, ref found);
        }

        // An unknown resource may be any.
        private void CollectAll(in ScopeQuery query, ref CandidateList found)
        {
            foreach (var below in (_equal?.Values ?? Enumerable.Empty<PolicyIndex>()).Concat(_within?.Values ?? Enumerable.Empty<PolicyIndex>()).Concat(_types?.Values ?? Enumerable.Empty<PolicyIndex>()))
                below.Collect(query, ref found);
        }

        private static void CollectWithin(Dictionary<EntityUid, PolicyIndex> within, EntityUid uid, in ScopeQuery query, ref CandidateList found)
        {
            if (within.TryGetValue(uid, out var self))
                self.Collect(query, ref found);
            var ancestors = query.Entities.AncestorsOf(uid);
            if (ancestors.Count <= within.Count)
            {
                foreach (var ancestor in ancestors)
                {
                    if (within.TryGetValue(ancestor, out var above))
                        above.Collect(query, ref found);
                }
                return;
            }
            foreach (var (ancestor, above) in within)
            {
                if (ancestors.Contains(ancestor))
                    above.Collect(query, ref found);
            }
        }
    }
}
