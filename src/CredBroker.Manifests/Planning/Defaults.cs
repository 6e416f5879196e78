using CredBroker.Contracts.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace CredBroker.Manifests.Planning;

/// <summary>
/// What the broker takes for a field that is left out, and shows from then on. Without them a manifest that leaves it out would differ for
/// ever, and be written anew at every start.
/// </summary>
internal static class Defaults
{
    public static void Fill(IMessage resource)
    {
        switch (resource)
        {
            case Hook hook:
                hook.Tolerance ??= Duration.FromTimeSpan(TimeSpan.FromMinutes(5));
                break;
            case Provider provider when provider.Reconciliation == Provider.Types.Reconciliation.Unspecified:
                provider.Reconciliation = Provider.Types.Reconciliation.Report;
                break;
            case Role role:
                role.MaxTtl ??= Duration.FromTimeSpan(TimeSpan.FromHours(1));
                foreach (var parameter in role.Parameters.Where(parameter => parameter.Type == RoleParameter.Types.Type.Unspecified))
                    parameter.Type = parameter.Values.Count > 0 ? RoleParameter.Types.Type.Enum : RoleParameter.Types.Type.Pattern;
                break;
        }
    }
}
