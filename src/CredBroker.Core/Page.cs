namespace CredBroker.Core;

/// <summary>One page of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="Next">Where the next page starts (the key of the last item); null on the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Which page is asked for.</summary>
/// <param name="Size">How many items at most, 1 to 1,000.</param>
/// <param name="After">The key after which it starts: null for the first page.</param>
public sealed record PageRequest(int Size, string? After);
