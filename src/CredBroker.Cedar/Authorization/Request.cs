namespace CredBroker.Cedar;

/// <summary>The question: may the principal do the action on the resource, under these circumstances?</summary>
/// <param name="Principal">Who.</param>
/// <param name="Action">What.</param>
/// <param name="Resource">On what.</param>
/// <param name="Context">Under which circumstances.</param>
public sealed record Request(EntityUid Principal, EntityUid Action, EntityUid Resource, CedarRecord Context);
