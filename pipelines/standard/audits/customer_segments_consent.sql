-- name: customer_segments_consent
-- description: Nobody is activatable who has refused the channel or marketing, or has consented to neither.
SELECT customer_key
FROM customer_segments
WHERE (is_activatable_email AND (consent_email IS FALSE OR consent_marketing IS FALSE OR coalesce(consent_email, consent_marketing) IS NULL))
    OR (is_activatable_sms AND (consent_sms IS FALSE OR consent_marketing IS FALSE OR coalesce(consent_sms, consent_marketing) IS NULL))
    OR (is_activatable_phone AND (consent_phone IS FALSE OR consent_marketing IS FALSE OR coalesce(consent_phone, consent_marketing) IS NULL))
    OR (is_activatable_post AND (consent_post IS FALSE OR consent_marketing IS FALSE OR coalesce(consent_post, consent_marketing) IS NULL))
    OR (is_activatable_ads AND (consent_ads IS FALSE OR consent_marketing IS FALSE OR coalesce(consent_ads, consent_marketing) IS NULL))
    OR is_activatable_email IS NULL OR is_activatable_sms IS NULL OR is_activatable_phone IS NULL OR is_activatable_post IS NULL
    OR is_activatable_ads IS NULL
