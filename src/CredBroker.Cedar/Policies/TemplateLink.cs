using CredBroker.Cedar.Text;

namespace CredBroker.Cedar;

/// <summary>A template with its slots filled in: one more policy.</summary>
/// <param name="TemplateId">The template.</param>
/// <param name="Id">The id of the policy that comes of it.</param>
/// <param name="Principal">What stands in <c>?principal</c>; null if the template has no such slot.</param>
/// <param name="Resource">What stands in <c>?resource</c>; null if the template has no such slot.</param>
public sealed record TemplateLink(string TemplateId, string Id, EntityUid? Principal = null, EntityUid? Resource = null)
{
    /// <summary>The policy; or null, and why there is none.</summary>
    internal Policy? Apply(Policy template, out string? error)
    {
        error = WrongSlot("?principal", template.Principal.HasSlot, Principal) ?? WrongSlot("?resource", template.Resource.HasSlot, Resource);
        if (error is not null)
            return null;
        return new Policy
        {
            Id = Id,
            Effect = template.Effect,
            Annotations = template.Annotations,
            Principal = template.Principal.Fill(Principal),
            Action = template.Action,
            Resource = template.Resource.Fill(Resource),
            Conditions = template.Conditions,
            Location = template.Location,
            Text = template.Text,
            Link = this,
        };
    }

    private string? WrongSlot(string slot, bool exists, EntityUid? value) => (exists, value) switch
    {
        (true, null) => $"{slot} of the template {Quoting.Quote(TemplateId)} is not filled in",
        (false, not null) => $"the template {Quoting.Quote(TemplateId)} has no slot {slot}",
        _ => null,
    };
}
